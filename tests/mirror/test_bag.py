"""Bags are complete, say what they are, and show what was changed in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.mirror.bag import check_bag, is_bag, write_bag

FILES = {"a.txt": b"first", "b/c.txt": b"second", "b/d e.txt": b""}
INFO = {"Source-Organization": "An Archive & Co", "External-Description": "Two\nlines:  of text"}
TAG_FILES = {
    "bagit.txt",
    "bag-info.txt",
    *(
        f"{kind}-{name}.txt"
        for kind in ("manifest", "tagmanifest")
        for name in ("sha256", "sha512")
    ),
}
DAMAGES = {
    "bag-info.txt": b"Source-Organization: Another\n",
    "bagit.txt": b"BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n",
    "data/a.txt": b"First",
    "data/b/more.txt": b"mine",
    "manifest-sha256.txt": b"",
    "notes.txt": b"mine",
}
"""Other content of a file that exists, and content of one that does not."""


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A bag with a few files."""
    folder = tmp_path / "bag"
    for name, content in FILES.items():
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    written = write_bag(folder, INFO)
    assert {path.name for path in written} == TAG_FILES
    return folder


def issues_of(bag: Path) -> list[str]:
    """What is wrong with a bag."""
    return [str(issue) for issue in check_bag(bag).issues]


def test_a_bag_has_the_files_of_the_standard(bag: Path) -> None:
    """RFC 8493: a declaration, manifests of payload and tag files, and the size of the payload."""
    assert {path.name for path in bag.iterdir()} == {"data", *TAG_FILES}
    declaration = (bag / "bagit.txt").read_text("utf-8")
    assert declaration == "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    assert (bag / "bag-info.txt").read_text("utf-8").splitlines() == [
        "Source-Organization: An Archive & Co",
        "External-Description: Two lines: of text",
        "Payload-Oxum: 11.3",
    ]
    expected = [
        f"{hashlib.sha512(content).hexdigest()}  data/{name}" for name, content in FILES.items()
    ]
    assert (bag / "manifest-sha512.txt").read_text("utf-8").splitlines() == expected
    listed = (bag / "tagmanifest-sha256.txt").read_text("utf-8").splitlines()
    names = {line.split("  ")[1] for line in listed}
    assert names == {name for name in TAG_FILES if not name.startswith("tagmanifest")}


def test_an_unchanged_bag_passes(bag: Path) -> None:
    """The check counts its files."""
    check = check_bag(bag)
    assert (check.issues, check.summary) == ([], "3 files")
    assert is_bag(bag)
    assert not is_bag(bag / "data")


@pytest.mark.parametrize("name", DAMAGES)
def test_changed_and_added_files_are_named(bag: Path, name: str) -> None:
    """In the payload and outside it."""
    (bag / name).write_bytes(DAMAGES[name])
    assert any(issue.startswith(f"{name}:") for issue in issues_of(bag))


@pytest.mark.parametrize("name", ["bag-info.txt", "data/a.txt", "tagmanifest-sha512.txt"])
def test_missing_files_are_named(bag: Path, name: str) -> None:
    """Also a manifest itself."""
    (bag / name).unlink()
    assert any(issue.startswith(f"{name}: found nothing") for issue in issues_of(bag))
