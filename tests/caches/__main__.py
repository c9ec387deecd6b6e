"""Renews the tables of docs/operations.md about caches: `python -m tests.caches`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    pytest = [sys.executable, "-m", "pytest", "-q", str(Path(__file__).parent), *sys.argv[1:]]
    environment = {**os.environ, "RENEW_CACHE_TABLES": "1"}
    sys.exit(subprocess.run(pytest, env=environment, check=False).returncode)
