"""From a seed file to its archive: compiled once a release, atomically, and recognized."""

from __future__ import annotations

import filecmp
import hashlib
import os
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from app.archive.archive import ArchiveError, ProgressCallback, compiler_digest, read_meta
from app.archive.atomic import commit, temporary_file
from app.archive.checksum import checksum_matches
from app.seed.errors import Issue
from app.seed.verification import Check

_WORTH_TRUSTING_TIMES = 32_000_000


def build_if_stale(seed: Path, archive: Path, progress: ProgressCallback | None = None) -> bool:
    """Compile a seed file unless the archive is already its own.

    Returns:
        Whether it had to be compiled.

    Raises:
        SeedError: The seed file is faulty; the archive is left as it was.
        ArchiveError: The archive cannot be written; it is left as it was.
    """
    if is_current(seed, archive):
        return False
    build_archive(seed, archive, progress)
    return True


def is_current(seed: Path, archive: Path) -> bool:
    """Whether the archive is whole and was compiled from this seed by this code.

    The archive's seal and the seed's digest are compared. Only where they are large do sizes and
    times do: an archive takes over its seed's modification time, so one that was written into later
    is read, and so is a seed whose status changed later.
    """
    try:
        source, compiled = seed.stat(), archive.stat()
        same = source.st_mtime_ns == compiled.st_mtime_ns
        meta = _meta(archive, trusted=same and compiled.st_size >= _WORTH_TRUSTING_TIMES)
        if meta is None or source.st_size != meta["size"]:
            return False
        untouched = same and source.st_ctime_ns < compiled.st_ctime_ns
        if untouched and source.st_size >= _WORTH_TRUSTING_TIMES:
            return True
        with seed.open("rb") as file:
            return bool(hashlib.file_digest(file, "sha256").hexdigest() == meta["release"])
    except (sqlite3.Error, OSError, ValueError, KeyError):
        return False


def is_valid_archive(archive: Path) -> bool:
    """Whether the archive is whole and was compiled by this code, from whatever seed."""
    try:
        return _meta(archive, trusted=False) is not None
    except (sqlite3.Error, OSError, ValueError, KeyError):
        return False


def _meta(archive: Path, *, trusted: bool) -> dict[str, Any] | None:
    """What an archive says of itself; None where it is broken or by other code."""
    meta = read_meta(archive)
    if meta["compiler"] != compiler_digest() or not (trusted or checksum_matches(archive)):
        return None
    return meta


def build_archive(seed: Path, archive: Path, progress: ProgressCallback | None = None) -> None:
    """Check a seed file and compile it, atomically: a reader sees the old file or the new one.

    Raises:
        SeedError: The seed file is faulty; the archive is left as it was.
        ArchiveError: The archive cannot be written; it is left as it was.
    """
    from app.archive.compiler import compile_seed  # noqa: PLC0415 - drags in what serving never needs

    try:
        times = seed.stat()
    except OSError:
        times = None
    if archive.exists() and seed.exists() and archive.samefile(seed):
        raise ArchiveError(f"The archive cannot be kept in {archive}: that is the seed itself.")
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(archive) as path:
            compile_seed(seed, path, progress)
            if times is not None:
                os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            commit(path, archive)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArchiveError(
            f"Cannot write the archive {archive}: {reason}. "
            "Free the disk or let ARCHIVE_FILE name a file in a folder that can be written."
        ) from error


def check_archive(seed: Path, path: Path) -> Check:
    """Hold a compiled archive, byte for byte, against what its seed compiles to.

    Raises:
        ArchiveError: The archive cannot be read, or there is no room to compile another.
    """
    name = "The archive is the record's own"
    from app.archive.compiler import compile_seed  # noqa: PLC0415 - drags in what serving never needs

    try:
        with tempfile.TemporaryDirectory() as folder:
            fresh = Path(folder) / "archive.sqlite"
            compile_seed(seed, fresh)
            if filecmp.cmp(fresh, path, shallow=False):
                return Check(name, f"{path.stat().st_size} bytes")
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(
            f"Cannot compare {path} with a fresh copy: {error}. TMPDIR must name a folder with "
            "room for one."
        ) from error
    return Check(name, path.name, [Issue("", f"{path}, of other content", "what `build` writes")])
