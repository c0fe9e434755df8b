"""Build the book: published results, generated pages, and rendering with Jupyter Book."""
