"""Puts a mirror into a bag (BagIt 1.0, RFC 8493), and checks one.

A bag is written here rather than by a library, because every byte must follow from the mirror:
libraries put the current date into a bag, and their version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from app.models.notation import count_noun, one_line
from app.seed.errors import Issue
from app.seed.report import Check

PAYLOAD = "data"
"""Directory of a bag that holds the mirror."""

_CHECK = "The bag's files match its manifests"
_DECLARATION, _INFO = "bagit.txt", "bag-info.txt"
_DECLARED = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_ALGORITHMS = ("sha256", "sha512")
"""All that readers must support; mirrors list SHA-256, and new bags should have SHA-512."""
_PAYLOAD_MANIFESTS, _TAG_MANIFESTS = (
    {f"{kind}-{algorithm}.txt": algorithm for algorithm in _ALGORITHMS}
    for kind in ("manifest", "tagmanifest")
)


def write_bag(bag: Path, info: Mapping[str, str]) -> list[Path]:
    """Write the tag files of a bag whose payload is in place; returns their paths.

    Args:
        bag: Directory of the bag.
        info: Elements of `bag-info.txt`, in order.
    """
    payload = _files_below(bag / PAYLOAD)
    size = sum(path.stat().st_size for path in payload)
    elements = {**info, "Payload-Oxum": f"{size}.{len(payload)}"}
    lines = (f"{label}: {one_line(value)}\n" for label, value in elements.items())
    tags = [
        _write(bag / _INFO, lines),
        _write(bag / _DECLARATION, [_DECLARED]),
        *_write_manifests(bag, _PAYLOAD_MANIFESTS, payload),
    ]
    return [*tags, *_write_manifests(bag, _TAG_MANIFESTS, tags)]


def is_bag(folder: Path) -> bool:
    """Whether a directory is a bag."""
    return (folder / _DECLARATION).is_file()


def check_bag(bag: Path) -> Check:
    """Check that the manifests of a bag list every file of it, with the right digest."""
    payload = _files_below(bag / PAYLOAD)
    others = [path for path in bag.iterdir() if path.name not in (*_TAG_MANIFESTS, PAYLOAD)]
    issues = [
        issue
        for manifests, files in ((_PAYLOAD_MANIFESTS, payload), (_TAG_MANIFESTS, others))
        for name, algorithm in manifests.items()
        for issue in _differences(bag, name, _manifest_lines(bag, files, algorithm))
    ]
    return Check(_CHECK, count_noun(len(payload), "file"), issues)


def _differences(bag: Path, manifest: str, lines: Iterable[str]) -> Iterator[Issue]:
    """Files that a manifest of a bag does not list as they are."""
    path = bag / manifest
    if not path.is_file():
        yield Issue(manifest, "nothing", "a manifest")
        return
    listed = dict(_split(line) for line in path.read_text("utf-8").splitlines())
    for name, digest in map(_split, lines):
        expected = listed.pop(name, None)
        if expected is None:
            yield Issue(name, "a file", f"none: it is not in {manifest}")
        elif expected != digest:
            yield Issue(name, "different content", f"that with the digest in {manifest}")
    yield from (Issue(name, "nothing", f"a file: it is in {manifest}") for name in listed)


def _split(line: str) -> tuple[str, str]:
    """Path and digest of a line of a manifest."""
    digest, _, path = line.rstrip("\n").partition("  ")
    return path, digest


def _write_manifests(bag: Path, manifests: Mapping[str, str], files: list[Path]) -> list[Path]:
    return [
        _write(bag / name, _manifest_lines(bag, files, algorithm))
        for name, algorithm in manifests.items()
    ]


def _manifest_lines(bag: Path, files: Iterable[Path], algorithm: str) -> Iterator[str]:
    """A line for each file, sorted by path. No path has a `%` or a line break, to be escaped."""
    for path in sorted(files):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, algorithm).hexdigest()
        yield f"{digest}  {path.relative_to(bag).as_posix()}\n"


def _write(path: Path, lines: Iterable[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    return path


def _files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
