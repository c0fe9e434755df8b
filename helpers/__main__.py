"""``python -m helpers``: the command line. The Makefile calls nothing else."""

from helpers.cli import app

if __name__ == "__main__":
    app()
