"""Evaluate models on a dataset: audit, one protocol of grouped folds for all models, and a report."""
