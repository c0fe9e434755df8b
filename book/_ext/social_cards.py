"""Sphinx extension: Open Graph tags, so that a link to a page shows its title, a sentence and a picture.

A chapter is described by what its readers learn, any other page by its first paragraph. The picture is the first figure
of the page, or that of the start page where it has none.
"""

from __future__ import annotations

import html
import textwrap

from docutils import nodes

LONGEST_DESCRIPTION = 200  # characters; longer ones are cut by most services
SHORTEST_PARAGRAPH = 60  # characters; what is shorter is a line of links or a label
COVER = "_images/cells.png"
COVER_ALT = "Six rows of synthetic white blood cells, one row per type, with red cells around them."


def page_address(repository: str) -> str:
    """Return the address of the published book, which GitHub Pages derives from that of the repository."""
    owner, name = repository.rstrip("/").rsplit("/", 2)[1:]
    return f"https://{owner.lower()}.github.io/{name}/"


def describe(doctree: nodes.document) -> str:
    """Return one plain sentence or two about a page, at most :data:`LONGEST_DESCRIPTION` characters."""
    for admonition in doctree.findall(nodes.admonition):
        if admonition.children[0].astext() == "You will learn":
            items = [item.astext() for item in admonition.findall(nodes.list_item)]
            return _shortened(f"You will learn {' '.join(items)}")
    paragraphs = (node.astext() for node in doctree.findall(nodes.paragraph))
    return _shortened(next((text for text in paragraphs if len(text) >= SHORTEST_PARAGRAPH), ""))


def _shortened(text: str) -> str:
    return textwrap.shorten(" ".join(text.split()), LONGEST_DESCRIPTION, placeholder=" …")


def first_image(app, doctree: nodes.document) -> tuple[str, str]:
    """Return the path of the first figure of a page below the book's address, and its alt text."""
    for image in doctree.findall(nodes.image):
        file = app.builder.images.get(image["uri"])
        if file and image.get("alt"):
            return f"{app.builder.imagedir}/{file}", image["alt"]
    return COVER, COVER_ALT


def _add_tags(app, pagename, templatename, context, doctree):
    if doctree is None:  # search and index
        return
    base = app.config.html_baseurl or page_address(app.config.html_theme_options["repository_url"])
    image, alt = first_image(app, doctree)
    description = describe(doctree)
    properties = {
        "og:site_name": app.config.project,
        "og:type": "article",
        "og:title": app.env.titles[pagename].astext(),
        "og:description": description,
        "og:url": f"{base}{app.builder.get_target_uri(pagename)}",
        "og:image": f"{base}{image}",
        "og:image:alt": alt,
    }
    names = {"description": description, "twitter:card": "summary_large_image"}
    tags = [_tag("property", key, value) for key, value in properties.items()]
    tags += [_tag("name", key, value) for key, value in names.items()]
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def _tag(kind: str, key: str, value: str) -> str:
    return f'<meta {kind}="{key}" content="{html.escape(value)}" />'


def setup(app):
    """Connect to the writing of every page."""
    app.connect("html-page-context", _add_tags)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
