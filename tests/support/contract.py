"""The committed OpenAPI document: `python -m tests.support.contract` writes it anew.

It says what changed and what that means to clients. A change that breaks them is not written,
unless it comes with a new version in place of the old one: `/v1` only grows. Removing the file
first starts a contract over, which shows in review as what it is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.changes import Change, Json, breaking, compare

COMMITTED = Path(__file__).parent.parent / "openapi.json"


def live() -> Json:
    """The document of the application on the shipped record."""
    with TemporaryDirectory() as folder:
        told = subprocess.run(
            [sys.executable, "-m", "app", "openapi"],
            env={**os.environ, "ARCHIVE_FILE": f"{folder}/archive.sqlite"},
            cwd=COMMITTED.parent.parent,
            stdout=subprocess.PIPE,
            check=True,
        )
    document: Json = json.loads(told.stdout)
    return document


def read(path: Path = COMMITTED) -> Json:
    """The document in a file."""
    document: Json = json.loads(path.read_text("utf-8"))
    return document


def written(document: Json) -> str:
    """A document as it is committed: the same text for the same content."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def renew(path: Path, document: Json) -> list[Change]:
    """Write a document to its file and return what changed; what breaks clients is not written."""
    known = read(path) if path.exists() else document
    if not breaking(known, document):
        path.write_text(written(document), "utf-8")
    return compare(known, document)


def main() -> int:
    """Renew the committed document; 1 where that would break clients."""
    document = live()
    for change in renew(COMMITTED, document):
        sys.stdout.write(f"{change}\n")
    return 0 if read() == document else 1


if __name__ == "__main__":
    sys.exit(main())
