"""Training and evaluation by group: learners, cross-validation, hyperparameter search, pitfalls, saved classifiers."""
