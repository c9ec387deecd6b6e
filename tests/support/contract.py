"""The committed OpenAPI document. `python -m tests.support.contract` updates it.

The command prints each change and its effect on clients. A breaking change is not written unless
a new API version replaces the old one, because changes within `/v1` must be additive. To start over
on purpose, remove the file first; the review then shows a new contract.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.changes import Change, Json, breaking_changes, compare

COMMITTED = Path(__file__).parent.parent / "openapi.json"


def generate_document() -> Json:
    """The OpenAPI document of the application on the shipped record."""
    with TemporaryDirectory() as folder:
        result = subprocess.run(
            [sys.executable, "-m", "app", "openapi"],
            env={**os.environ, "ARCHIVE_FILE": f"{folder}/archive.sqlite"},
            cwd=COMMITTED.parent.parent,
            stdout=subprocess.PIPE,
            check=True,
        )
    document: Json = json.loads(result.stdout)
    return document


def read_document(path: Path = COMMITTED) -> Json:
    """The OpenAPI document in a file."""
    document: Json = json.loads(path.read_text("utf-8"))
    return document


def serialize(document: Json) -> str:
    """The document as it is committed: equal documents give equal text."""
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def update_document(path: Path, document: Json) -> list[Change]:
    """Write a document to its file, unless that breaks clients, and return the changes."""
    committed = read_document(path) if path.exists() else document
    if not breaking_changes(committed, document):
        path.write_text(serialize(document), "utf-8")
    return compare(committed, document)


def main() -> int:
    """Update the committed document. The exit code is 1 if that would break clients."""
    document = generate_document()
    for change in update_document(COMMITTED, document):
        sys.stdout.write(f"{change}\n")
    return 0 if read_document() == document else 1


if __name__ == "__main__":
    sys.exit(main())
