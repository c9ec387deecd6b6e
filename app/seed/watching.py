"""Waiting for files to be saved."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_INTERVAL_SECONDS = 0.25


def each_save(paths: Sequence[Path]) -> Iterator[None]:
    """Once at first, and then again whenever one of the files has changed."""
    previous = None
    while True:
        current = [_state(path) for path in paths]
        if current != previous:
            previous = current
            yield
        time.sleep(_INTERVAL_SECONDS)


def _state(path: Path) -> tuple[int, int, int] | None:
    """What differs after a save, also by an editor that replaces the file; None if it is absent."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
