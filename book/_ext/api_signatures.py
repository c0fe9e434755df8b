"""Sphinx extension: signatures that read as users write them, where Python's own do not."""

import re

from pydantic import BaseModel


def readable_signature(app, what, name, obj, options, signature, returned):
    """Return the signature to show, without ``<factory>`` and ``<function …>``, which are not Python.

    The types of pydantic fields contain their bounds in an unreadable form; the docstrings describe them.
    """
    if what == "class" and issubclass(obj, BaseModel):
        return f"(*, {', '.join(obj.model_fields)})", None
    if signature:
        signature = re.sub(r"<factory>|<function \S*<lambda>[^>]*>", "...", signature)
        signature = re.sub(r"<function (\w+)[^>]*>", r"\1", signature)
    return signature, returned


def setup(app):
    """Connect to the reading of every docstring."""
    app.connect("autodoc-process-signature", readable_signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
