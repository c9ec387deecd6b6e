"""Where filed releases are: next to the seed, in files named after their labels."""

from __future__ import annotations

from pathlib import Path

from app.models.release import Label, is_label, label_order
from app.seed.errors import Issue, SeedError

_SUFFIX = ".json"


def release_file(seed: Path, label: Label) -> Path:
    """The file of a release."""
    return _directory(seed) / f"{label}{_SUFFIX}"


def filed_releases(seed: Path) -> list[Path]:
    """Files of all releases next to a seed, the oldest first.

    Raises:
        SeedError: A file is not named after a label.
    """
    directory = _directory(seed)
    paths = [path for path in directory.glob(f"*{_SUFFIX}") if not path.name.startswith(".")]
    for path in paths:
        if not is_label(path.stem):
            found = f"a file named {path.name}"
            raise SeedError(path, [Issue("", found, "a label as name, such as 2026-11-24.json")])
    return sorted(paths, key=lambda path: label_order(path.stem))


def _directory(seed: Path) -> Path:
    return seed.parent / "releases"
