"""``pytest --nbval notebooks``: kernels that are quiet and install nothing."""

import os

from helpers.runs import kernels

os.environ.update(kernels.ENVIRONMENT | {"LEUKOBOOK_BATCH": "1"})
