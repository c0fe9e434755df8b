"""What a fold trains and how it is tested: cross-validation, learners, hyperparameter search, pitfalls, classifiers."""
