"""Notebooks executed: profiles, kernels, records of runs, and where a number comes from."""
