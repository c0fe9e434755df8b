"""Diagrams of the book, drawn by code in the style of its figures."""
