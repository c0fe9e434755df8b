"""Write the notebooks named on the command line in the form in which they are committed; pre-commit calls this."""

import sys
from pathlib import Path

from helpers import files
from helpers.runs import notebooks

for name in sys.argv[1:]:
    files.write_text(Path(name), notebooks.committed_text(Path(name)))
