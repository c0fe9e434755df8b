"""Leukobook: deep learning on blood smears, honestly measured. The package that every notebook imports.

Modules import one way, each only from those above it:
``images``, ``datasets``, ``splits``, ``preprocessing``, ``metrics``, ``plots``, ``teaching``, ``runs``, ``book``.
"""
