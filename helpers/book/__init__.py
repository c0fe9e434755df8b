"""The book: results that are kept, pages that code writes, and the build with Jupyter Book."""
