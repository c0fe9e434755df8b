"""``pytest --nbval notebooks``: kernels as quiet as where the stored outputs come from, which install nothing."""

import os

from helpers import kernels

os.environ.update(kernels.ENVIRONMENT | {"LEUKOBOOK_BATCH": "1"})
