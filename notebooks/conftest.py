"""``pytest --nbval notebooks``: kernels as quiet as where the stored outputs come from."""

import os

from helpers import runs

os.environ.update(runs.ENVIRONMENT)
