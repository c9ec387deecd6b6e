"""Files and directories replaced atomically: readers see the old content or the new.

The new content is written under a hidden temporary name next to the target and moved there once it
is complete and on the disk:

    with temporary_file(target) as path:
        ...
        move_into_place(path, target)

The writer holds an exclusive lock (flock(2)) on it. What is not locked is a leftover of a killed
process, and removed by the next writer. What was not moved is removed at the end of the block.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

_SUFFIX = ".unfinished"
_MAX_SINGLE_FSYNCS = 100
"""Files of a directory that are flushed one by one; for more, one sync(2) is faster."""


@contextmanager
def temporary_file(target: Path) -> Iterator[Path]:
    """Create an empty file next to the target; each concurrent writer gets its own.

    Leftovers of killed processes are removed first.
    """
    _remove_leftovers(target)
    with _locked(lambda: _create_file(target), fcntl.LOCK_EX) as path:
        yield path


@contextmanager
def temporary_directory(target: Path) -> Iterator[Path]:
    """Create an empty directory next to the target, for one writer at a time.

    Leftovers of killed processes are removed first. If one was killed between the two renames of
    `move_into_place`, the former directory is put back.

    Raises:
        BlockingIOError: Another process is writing the same target.
    """
    with _locked(lambda: _create_directory(target), fcntl.LOCK_EX | fcntl.LOCK_NB) as directory:
        for leftover in directory.iterdir():
            _remove(leftover)
        _restore(target)
        yield directory


def move_into_place(path: Path, target: Path) -> None:
    """Flush a complete temporary file or directory to the disk and move it to its target.

    A file takes one rename. A directory takes two: an existing one is first moved aside,
    and removed at the end.
    """
    if path.is_dir():
        _flush_directory(path)
        _swap(path, target)
    else:
        _flush(path)
        path.replace(target)
    _flush(target.parent)


def lock(path: Path, operation: int = fcntl.LOCK_EX) -> int:
    """Lock a file or directory; returns the descriptor, which unlocks it when it is closed.

    Raises:
        BlockingIOError: It is locked and `operation` includes `LOCK_NB`.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, operation)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def _locked(create: Callable[[], Path], operation: int) -> Iterator[Path]:
    """Create a path and hold its lock; remove what has this name at the end."""
    path, descriptor = _create_locked(create, operation)
    try:
        yield path
    finally:
        with suppress(OSError):
            if _is_open_as(path, descriptor):
                _remove(path)
        os.close(descriptor)


def _create_locked(create: Callable[[], Path], operation: int) -> tuple[Path, int]:
    """Try again if another process removed or moved the path before it was locked."""
    while True:
        path = create()
        with suppress(FileNotFoundError):
            descriptor = lock(path, operation)
            if _is_open_as(path, descriptor):
                return path, descriptor
            os.close(descriptor)


def _is_open_as(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    return False


def _create_file(target: Path) -> Path:
    prefix = f".{target.name}."
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=prefix, suffix=_SUFFIX)
    os.fchmod(descriptor, 0o644)
    os.close(descriptor)
    return Path(name)


def _create_directory(target: Path) -> Path:
    directory = target.with_name(f".{target.name}{_SUFFIX}")
    directory.mkdir(mode=0o755, exist_ok=True)
    if directory.is_symlink():  # what it points to must not be emptied
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(directory))
    return directory


def _remove_leftovers(target: Path) -> None:
    """Remove temporary files of this target that no process holds locked."""
    for path in target.parent.iterdir():
        if path.name.startswith(f".{target.name}.") and path.name.endswith(_SUFFIX):
            with suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _swap(directory: Path, target: Path) -> None:
    former = _former(target)
    _remove(former)
    if target.exists():
        target.rename(former)
    try:
        directory.rename(target)
    except OSError:
        _restore(target)
        raise
    _remove(former)


def _restore(target: Path) -> None:
    """Put the former directory back if nothing has replaced it."""
    if not target.exists() and _former(target).exists():
        _former(target).rename(target)


def _former(target: Path) -> Path:
    return target.with_name(f".{target.name}.former")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _flush_directory(directory: Path) -> None:
    paths = list(islice(directory.rglob("*"), _MAX_SINGLE_FSYNCS + 1))
    if len(paths) > _MAX_SINGLE_FSYNCS:
        os.sync()
    else:
        for path in (*paths, directory):
            _flush(path)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
