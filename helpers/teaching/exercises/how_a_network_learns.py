"""Exercises of *How a network learns*."""

from __future__ import annotations

from helpers.teaching.declarations import Exercise

EXERCISES: dict[str, Exercise] = {}
