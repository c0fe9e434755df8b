"""Sphinx extension: no inline script twice on a page.

sphinx-thebe adds its constants once per reading of the sources; declared twice, they are an error in the console.
"""


def _drop_repeated(app, pagename, templatename, context, doctree):
    seen, kept = set(), []
    for script in context.get("script_files", []):
        body = getattr(script, "attributes", {}).get("body")
        if body is None or body not in seen:
            kept.append(script)
        seen.add(body)
    context["script_files"] = kept


def setup(app):
    """Connect after every other extension."""
    app.connect("html-page-context", _drop_repeated, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
