"""Leukobook: deep learning on blood smears, honestly measured. The package that every notebook imports.

Its rooms import one way, each only from rooms below it; ``[tool.importlinter]`` in ``pyproject.toml`` lists them.
"""
