"""``pytest --nbval notebooks``: kernels as quiet as where the stored outputs come from."""

import os

from helpers import kernels

os.environ.update(kernels.ENVIRONMENT)
