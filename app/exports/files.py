"""Export files next to the archive: built once per release, then only read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from anyio import to_thread

from app import __version__
from app.archive.archive import (
    Archive,
    ArchiveError,
    ProgressCallback,
    archive_code_digest,
    read_meta,
)
from app.archive.atomic import lock, move_into_place, temporary_directory, temporary_file
from app.archive.release import fingerprint
from app.exports.database import write_database
from app.exports.datapackage import write_csv_files, write_package
from app.exports.listing import DATABASE, FILES, RECORD, REGIONS, SEED, TABLES
from app.exports.parquet import pyarrow_version, write_parquet
from app.exports.streams import RowCallback, read_batches, stream_collection, stream_record
from app.exports.terms import about_record
from app.models.notation import count_noun
from app.query.query import Query
from app.responses.formats import GEOJSON
from app.seed.errors import Issue
from app.seed.report import Check

_INDEX = "index.json"
_PYARROW = "-pyarrow-"
"""In the name of a directory with Parquet files, before the version of pyarrow."""
_WRITES_PER_ROW = 3
"""The database, the Data Package and the record as JSON (only for its digest) render every row.

So do the Parquet files, if they are written.
"""


@dataclass(frozen=True, slots=True)
class FileDigest:
    """Size and SHA-256 of an export.

    Attributes:
        bytes: Size in bytes.
        sha256: SHA-256, hexadecimal.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The export files of one release, as listed in its `index.json`.

    Attributes:
        directory: Directory that contains them.
        digests: Digest of each file by name, and of `record.json`, which is not stored.
    """

    directory: Path
    digests: Mapping[str, FileDigest]

    def stored(self) -> dict[Path, FileDigest]:
        """Digest of each file by its path."""
        return {
            self.directory / name: digest
            for name, digest in self.digests.items()
            if name != RECORD.name
        }

    def is_complete(self) -> bool:
        """Whether every file exists and has the right size."""
        try:
            return all(
                path.stat().st_size == digest.bytes for path, digest in self.stored().items()
            )
        except OSError:
            return False


def exports_directory(archive_path: Path) -> Path:
    """Directory of an archive's exports; each archive in a directory has its own."""
    return archive_path.with_name(f".{archive_path.name}-exports")


def find_exports(archive_path: Path, release: str) -> ExportFiles | None:
    """Export files of a release that this version of the code built.

    None if there is no readable index, or if any file is missing or has another size.
    """
    indexed = _read_indexes(archive_path, release)
    return next((files for files in indexed if files.is_complete()), None)


def read_index(archive_path: Path, release: str) -> ExportFiles | None:
    """Export files as listed in index.json, whether or not all files are present.

    None if there is no readable index of this release and this version of the code.
    """
    return next(_read_indexes(archive_path, release), None)


def _read_indexes(archive_path: Path, release: str) -> Iterator[ExportFiles]:
    for directory in _candidates(exports_directory(archive_path), release):
        with suppress(OSError, ValueError, TypeError):
            index = json.loads((directory / _INDEX).read_bytes())
            digests = {name: FileDigest(**digest) for name, digest in index.items()}
            yield ExportFiles(directory, digests)


def damaged_files(files: ExportFiles) -> list[str]:
    """Names of the files that are missing, or that do not match their digest."""
    return [
        path.name
        for path, digest in files.stored().items()
        if not path.is_file() or digest_file(path) != digest
    ]


def check_exports(archive_path: Path) -> Check:
    """Compare the export files of an archive with the digests recorded when they were built."""
    name = "The exports match their digests"
    try:
        release = read_meta(archive_path)["release"]
        files = find_exports(archive_path, release) or read_index(archive_path, release)
    except (OSError, sqlite3.Error, ValueError, KeyError):
        files = None  # the check of the archive reports it
    if files is None:
        return Check(name, "not checked: none built", skipped=True)
    issues = [
        Issue(
            pointer="", found=f"{name} missing or damaged", expected="the file that `build` wrote"
        )
        for name in damaged_files(files)
    ]
    return Check(name, count_noun(len(files.stored()), "digest"), issues)


async def build_exports(
    archive: Archive,
    archive_path: Path,
    seed_path: Path,
    progress: ProgressCallback | None = None,
) -> ExportFiles:
    """Build the export files of an open archive next to it, unless they exist undamaged.

    One process builds them while others wait; they appear all at once. Leftovers of killed
    processes are removed, and so are older directories: of those that another release or another
    version of the code wrote, only the newest stays, because a server may still have it open.

    Args:
        archive: The open archive.
        archive_path: Path of the archive.
        seed_path: Path of the seed.
        progress: Called with the number of rows written and to be written.

    Raises:
        ArchiveError: The files cannot be written, or the archive was replaced in the
            meantime.
    """
    root = exports_directory(archive_path)
    directory = root / _directory_name(archive.release)
    try:
        root.mkdir(mode=0o755, exist_ok=True)
        async with _exclusive_lock(root):
            existing = find_exports(archive_path, archive.release)
            if existing is not None and not await to_thread.run_sync(damaged_files, existing):
                return existing
            await _check_release(archive, archive_path)
            replaced = _candidates(root, archive.release)
            await to_thread.run_sync(_remove_old_exports, root, replaced)
            with temporary_directory(directory) as temporary:
                on_rows = _RowCounter(archive, progress)
                paths = archive_path, seed_path, temporary
                digests = await _write_files(archive, *paths, on_rows)
                await to_thread.run_sync(_write_index, temporary, archive_path, digests)
                await to_thread.run_sync(move_into_place, temporary, directory)
        return ExportFiles(directory, digests)
    except (OSError, ValueError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArchiveError(
            f"Cannot write the exports next to {archive_path}: {reason}. Free disk space, or run "
            "`cpc-record build` where the directory is writable."
        ) from error


class _RowCounter:
    """Adds up the rows written to all files, and reports them as progress."""

    def __init__(self, archive: Archive, progress: ProgressCallback | None) -> None:
        writes = _WRITES_PER_ROW + (pyarrow_version() is not None)
        self.done, self.total = 0, writes * sum(archive.counts.values())
        self.progress = progress

    def __call__(self, rows: int) -> None:
        self.done += rows
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)


async def _check_release(archive: Archive, archive_path: Path) -> None:
    """Make sure that the path still points to the release that is open.

    Raises:
        OSError: The file was replaced.
    """
    if (await to_thread.run_sync(read_meta, archive_path))["release"] != archive.release:
        raise OSError("the archive was replaced by another release")


async def _write_files(
    archive: Archive, archive_path: Path, seed_path: Path, directory: Path, on_rows: RowCallback
) -> dict[str, FileDigest]:
    """Write every file; returns their digests and that of `record.json`."""
    database, package = directory / DATABASE.name, directory / TABLES.name
    about = about_record(archive)
    await to_thread.run_sync(write_database, archive_path, database, about, on_rows)
    await _check_release(archive, archive_path)
    await to_thread.run_sync(write_package, database, package, archive, on_rows)
    await to_thread.run_sync(write_csv_files, package, directory, archive)
    await to_thread.run_sync(_copy_seed, archive_path, seed_path, directory / SEED.name)
    if pyarrow_version() is not None:
        await to_thread.run_sync(write_parquet, database, directory, about, on_rows)
    query = Query.from_parameters("regions", {})
    regions = read_batches(archive, query, None)
    with (directory / REGIONS.name).open("wb") as geojson:
        async for chunk in stream_collection(archive, query, regions, GEOJSON):
            geojson.write(chunk)
    record = stream_record(archive, archive.label, RECORD.path, on_rows)
    digests = {RECORD.name: await digest_stream(record)}
    for name in FILES:
        path = directory / name
        if path.exists():  # the others need settings or packages that are missing
            digests[name] = await to_thread.run_sync(digest_file, path)
    return digests


def _copy_seed(archive_path: Path, seed_path: Path, target: Path) -> None:
    """Copy the seed that an archive was compiled from; nothing if it was changed since."""
    with suppress(FileNotFoundError):
        shutil.copyfile(seed_path, target)
        if list(fingerprint(target)) != read_meta(archive_path)["seed"]:
            target.unlink()


async def store_file(files: ExportFiles, name: str, chunks: AsyncIterator[bytes]) -> Path:
    """Write a file that depends on settings next to the release's files, unless it exists.

    The name must contain a digest of the settings that the file depends on.

    Raises:
        OSError: It cannot be written.
    """
    path = files.directory / name
    if not await to_thread.run_sync(path.exists):
        with temporary_file(path) as temporary:
            with temporary.open("wb") as output:
                async for chunk in chunks:
                    output.write(chunk)
            await to_thread.run_sync(move_into_place, temporary, path)
    return path


async def digest_stream(chunks: AsyncIterator[bytes]) -> FileDigest:
    """Digest of a stream."""
    digest, size = hashlib.sha256(), 0
    async for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    return FileDigest(size, digest.hexdigest())


def digest_bytes(content: bytes) -> FileDigest:
    """Digest of a file with this content."""
    return FileDigest(len(content), hashlib.sha256(content).hexdigest())


def digest_file(path: Path) -> FileDigest:
    """Digest of a file."""
    return FileDigest(*fingerprint(path))


def _write_index(directory: Path, archive_path: Path, digests: Mapping[str, FileDigest]) -> None:
    """Write the index; all files get the archive's modification time."""
    index = {name: asdict(digest) for name, digest in digests.items()}
    (directory / _INDEX).write_text(json.dumps(index, indent=1))
    status = archive_path.stat()
    for path in (*directory.iterdir(), directory):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _remove_old_exports(root: Path, replaced: Sequence[Path]) -> None:
    """Remove every directory except the newest one that is neither replaced nor temporary.

    Those that are replaced are incomplete or damaged when this is called.
    """
    directories = [path for path in root.iterdir() if path.is_dir()]
    others = [
        path for path in directories if path not in replaced and not path.name.startswith(".")
    ]
    newest = max(others, key=lambda path: path.stat().st_ctime_ns, default=None)
    for directory in directories:
        if directory != newest:
            shutil.rmtree(directory)


@asynccontextmanager
async def _exclusive_lock(directory: Path) -> AsyncIterator[None]:
    """Wait for the lock of a directory without blocking the event loop, and hold it."""
    descriptor = await to_thread.run_sync(lock, directory)
    try:
        yield
    finally:
        os.close(descriptor)


def _candidates(root: Path, release: str) -> list[Path]:
    """Directories of a release whose files this process can serve, the preferred one first.

    Without pyarrow, those with Parquet files that another process wrote are preferred: a server
    needs no pyarrow, which only `cpc-record build` may have had.
    """
    own = root / _directory_name(release)
    if pyarrow_version() is not None:
        return [own]
    return [*sorted(root.glob(f"{own.name}{_PYARROW}*"), reverse=True), own]


def _directory_name(release: str) -> str:
    """Name of a release's directory: a digest of everything that determines its content.

    The version of pyarrow, if it is installed, is appended.
    """
    inputs = f"{release} {_code_digest()} {__version__} {zlib.ZLIB_RUNTIME_VERSION}"
    digest = hashlib.sha256(inputs.encode()).hexdigest()[:32]
    return digest if (pyarrow := pyarrow_version()) is None else f"{digest}{_PYARROW}{pyarrow}"


@cache
def _code_digest() -> str:
    """SHA-256 of the code, and of the versions of libraries, that determine the files' content."""
    here = Path(__file__).parent
    digest = hashlib.sha256(archive_code_digest().encode())
    for path in (*sorted(here.glob("*.py")), here.parent / "responses" / "representations.py"):
        digest.update(path.read_bytes())
    return digest.hexdigest()
