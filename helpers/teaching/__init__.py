"""Quizzes, and automatic checks of answers to exercises."""

from helpers.teaching.checking import check, check_function, check_repair
from helpers.teaching.quizzes import QUIZZES, quiz

__all__ = ["QUIZZES", "check", "check_function", "check_repair", "quiz"]
