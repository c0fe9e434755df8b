"""The page *Try it*: two networks as numbers, which the script of the page computes in the reader's browser."""
