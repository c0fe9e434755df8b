"""Where uv looks for packages in tests: where pip does."""

import os
import subprocess
import sys


def uv_environment():
    """The variables that make uv ask the indexes that pip is configured to ask, all of them as pip does."""
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match", **os.environ}
    for name, variable in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("cert", "SSL_CERT_FILE"),
    ):
        for place in (f":env:.{name}", f"global.{name}"):
            asked = subprocess.run(
                [sys.executable, "-m", "pip", "config", "get", place], capture_output=True, text=True
            )
            if asked.returncode == 0:
                settings.setdefault(variable, asked.stdout.strip())
    return settings
