"""The committed `CITATION.cff`. `python -m tests.support.citation_file` prints it anew.

It cites the last release, even if the seed has been edited since.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from app.archive.archive import Archive
from app.archive.release import build_archive
from app.exports.citing import cited_record
from app.models.release import DRAFT, label_day

ROOT = Path(__file__).parent.parent.parent
COMMITTED = ROOT / "CITATION.cff"


def citation_file(archive: Archive) -> str:
    """The last release of a record in the Citation File Format 1.2.0, which is YAML."""
    work = cited_record(archive, None, None, archive.connection)
    label = [label for label in archive.releases if label != DRAFT][-1]
    lines = [
        "cff-version: 1.2.0",
        "message: If you use this record, please cite it as below.",
        "type: dataset",
        f"title: {_quoted(work.title)}",
        "authors:",
        f"  - name: {_quoted(work.author)}",
        f"version: {_quoted(label)}",
        f"date-released: {_quoted(label_day(label))}",
        f"abstract: {_quoted(archive.metadata['description'])}",
        "keywords:",
        *(f"  - {_quoted(keyword)}" for keyword in archive.metadata["keywords"]),
        f"license-url: {_quoted(archive.metadata['license']['url'])}",
        "references:",
        *_references(archive.connection),
    ]
    return "\n".join([*lines, ""])


def _references(connection: sqlite3.Connection) -> Iterator[str]:
    """The archived pages that the record is based on."""
    rows = connection.execute(
        "SELECT organizations.name, sources.title, sources.url FROM sources "
        "JOIN organizations ON organizations.id = sources.publisher ORDER BY sources.rowid"
    )
    for publisher, title, url in rows:
        yield "  - type: website"
        yield f"    title: {_quoted(title.decode())}"
        yield f"    authors: [{{name: {_quoted(publisher.decode())}}}]"
        yield f"    url: {_quoted(url.decode())}"


def _quoted(text: str) -> str:
    """A YAML string: JSON's are."""
    return json.dumps(text, ensure_ascii=False)


def main() -> None:
    """Print the file for the shipped record."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "archive.sqlite"
        build_archive(ROOT / "data" / "seed.json", path)
        with closing(Archive.open(path)) as archive:
            sys.stdout.write(citation_file(archive))


if __name__ == "__main__":
    main()
