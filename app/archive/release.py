"""Builds the archive of a seed file, and recognizes one that is up to date."""

from __future__ import annotations

import filecmp
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.archive.archive import ArchiveError, ProgressCallback, archive_code_digest, read_meta
from app.archive.atomic import move_into_place, temporary_file
from app.archive.checksum import checksum_matches
from app.models.notation import count_noun
from app.seed.errors import Issue, SeedError
from app.seed.release_files import filed_releases
from app.seed.report import Check

_TRUSTED_TIMES_BYTES = 32_000_000
"""Size from which modification times are trusted, because reading the file takes a long time."""


def build_if_stale(
    seed: Path, archive_path: Path, progress: ProgressCallback | None = None
) -> bool:
    """Compile a seed file unless the archive is up to date.

    Returns:
        Whether it was compiled.

    Raises:
        SeedError: The seed file is invalid; the archive is unchanged.
        ArchiveError: The archive cannot be written; it is unchanged.
    """
    if is_current(seed, archive_path):
        return False
    build_archive(seed, archive_path, progress)
    return True


def is_current(seed: Path, archive_path: Path) -> bool:
    """Whether the archive is intact and was compiled from this seed by the same code.

    So are the filed releases next to the seed. The code is compared by `archive_code_digest`.

    The archive's checksum and the digests of the seed and of the filed releases are verified. For
    large files sizes and times are enough: an archive has its seed's modification time, so a later
    write to either is visible. A file is still hashed if its status (ctime) changed after the
    archive was written.
    """
    try:
        filed = filed_releases(seed)
        seed_status, status = seed.stat(), archive_path.stat()
        same_time = seed_status.st_mtime_ns == status.st_mtime_ns
        meta = _valid_meta(
            archive_path, trusted=same_time and status.st_size >= _TRUSTED_TIMES_BYTES
        )
        if meta is None or {path.name for path in filed} != meta["filed"].keys():
            return False
        files = [(seed, meta["seed"]), *((path, meta["filed"][path.name]) for path in filed)]
        written = status.st_ctime_ns if same_time else 0
        return all(_is_unchanged(path, recorded, written) for path, recorded in files)
    except (sqlite3.Error, OSError, ValueError, KeyError, SeedError):
        return False


def _is_unchanged(path: Path, recorded: Sequence[Any], written_ns: int) -> bool:
    """Whether a file has the recorded size and digest; a large one is not hashed if it is older.

    Args:
        path: The file.
        recorded: Its size in bytes and its SHA-256 when the archive was compiled.
        written_ns: When the archive was written, in ns; 0 if times do not count.
    """
    status = path.stat()
    if status.st_size != recorded[0]:
        return False
    if status.st_ctime_ns < written_ns and status.st_size >= _TRUSTED_TIMES_BYTES:
        return True
    return list(fingerprint(path)) == recorded


def is_valid_archive(archive_path: Path) -> bool:
    """Whether the archive is intact and was compiled by the same code, from any seed."""
    try:
        return _valid_meta(archive_path, trusted=False) is not None
    except (sqlite3.Error, OSError, ValueError, KeyError):
        return False


def _valid_meta(archive_path: Path, *, trusted: bool) -> dict[str, Any] | None:
    """Contents of the meta table; None if the archive is corrupt or other code compiled it."""
    meta = read_meta(archive_path)
    if meta["compiler"] != archive_code_digest() or not (trusted or checksum_matches(archive_path)):
        return None
    return meta


def build_archive(seed: Path, archive_path: Path, progress: ProgressCallback | None = None) -> None:
    """Validate a seed file and compile it atomically: readers see the old archive or the new one.

    Raises:
        SeedError: The seed file is invalid; the archive is unchanged.
        ArchiveError: The archive cannot be written; it is unchanged.
    """
    from app.archive.compiler import compile_seed  # noqa: PLC0415 - only compiling needs it

    try:
        seed_status = seed.stat()
    except OSError:
        seed_status = None  # the compiler reports it
    if archive_path.exists() and seed.exists() and archive_path.samefile(seed):
        raise ArchiveError(f"Cannot write the archive to {archive_path}: it is the seed itself.")
    try:
        archive_path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(archive_path) as path:
            compile_seed(seed, path, progress)
            if seed_status is not None:
                os.utime(path, ns=(seed_status.st_atime_ns, seed_status.st_mtime_ns))
            move_into_place(path, archive_path)
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArchiveError(
            f"Cannot write the archive {archive_path}: {reason}. "
            "Free disk space, or set ARCHIVE_FILE to a file in a writable directory."
        ) from error


def fingerprint(path: Path) -> tuple[int, str]:
    """Size of a file in bytes, and its SHA-256, hexadecimal."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def check_archive(seed: Path, path: Path) -> Check:
    """Compare an archive byte by byte with a fresh compilation of its seed; skipped without one.

    Raises:
        ArchiveError: The archive cannot be read, or there is no space to compile another.
    """
    name = "The archive matches the seed file"
    if not path.exists():
        return Check(name, f"not checked: no archive at {path}", skipped=True)
    from app.archive.compiler import compile_seed  # noqa: PLC0415 - only compiling needs it

    try:
        with tempfile.TemporaryDirectory() as directory:
            fresh = Path(directory) / "archive.sqlite"
            compile_seed(seed, fresh)
            if filecmp.cmp(fresh, path, shallow=False):
                return Check(name, count_noun(path.stat().st_size, "byte"))
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(
            f"Cannot compare {path} with a fresh compilation: {error}. "
            "Set TMPDIR to a directory with enough space for one."
        ) from error
    return Check(
        name,
        path.name,
        [Issue(pointer="", found=f"different content in {path}", expected="the output of `build`")],
    )
