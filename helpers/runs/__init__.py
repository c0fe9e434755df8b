"""Execute notebooks: profiles, kernels, records of runs, and provenance of results."""
