"""`CITATION.cff`, which tells visitors of the repository how to cite the record."""

from __future__ import annotations

from app.archive.archive import Archive
from tests.support.citation_file import COMMITTED, citation_file


def test_the_last_release_is_cited(archive: Archive) -> None:
    """The file is that of the seed and of its last release; `make contract` updates it."""
    assert COMMITTED.read_text("utf-8") == citation_file(archive)
