"""The exports that are kept as files beside the archive: made once a release, then only read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from anyio import to_thread

from app import __version__
from app.archive.archive import Archive, ArchiveError, ProgressCallback, compiler_digest, read_meta
from app.archive.atomic import commit, lock, temporary_directory, temporary_file
from app.exports.database import write_database
from app.exports.datapackage import write_package
from app.exports.listing import DATABASE, RECORD, REGIONS, TABLES
from app.exports.streams import RowCallback, read_batches, stream_collection, stream_record
from app.query.query import Query
from app.responses.formats import GEOJSON
from app.seed.errors import Issue
from app.seed.verification import Check

_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class FileDigest:
    """The length and the digest of an export.

    Attributes:
        bytes: Its length.
        sha256: Its SHA-256, hexadecimal.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ExportFiles:
    """The files of one release.

    Attributes:
        folder: Where they are.
        digests: Length and digest of each by its name, and of the record as JSON.
    """

    folder: Path
    digests: Mapping[str, FileDigest]

    def is_complete(self) -> bool:
        """Whether every file is there, in its length."""
        kept = ((self.folder / name, one.bytes) for name, one in self.digests.items())
        try:
            return all(
                path.stat().st_size == size for path, size in kept if path.name != RECORD.name
            )
        except OSError:
            return False


def exports_directory(archive: Path) -> Path:
    """The folder of an archive's exports: one for each archive, whatever else is beside it."""
    return archive.with_name(f".{archive.name}-exports")


def find_exports(archive: Path, release: str) -> ExportFiles | None:
    """The files of a release that this code made, beside an archive; None where they are not."""
    shelf = read_exports(archive, release)
    return shelf if shelf is not None and shelf.is_complete() else None


def read_exports(archive: Path, release: str) -> ExportFiles | None:
    """What was made of a release, whether or not it is whole still; None where nothing was."""
    folder = exports_directory(archive) / _key(release)
    try:
        index = json.loads((folder / _INDEX).read_bytes())
        digests = {name: FileDigest(**one) for name, one in index.items()}
    except (OSError, ValueError, TypeError):
        return None
    return ExportFiles(folder, digests)


def damaged_files(shelf: ExportFiles) -> list[str]:
    """Names of the files that are gone, or whose bytes are not those that were written."""
    kept = {name: one for name, one in shelf.digests.items() if name != RECORD.name}
    return [
        name
        for name, one in kept.items()
        if not (shelf.folder / name).is_file() or digest_file(shelf.folder / name) != one
    ]


def check_exports(path: Path, release: str) -> Check:
    """Hold the exports beside an archive against the digests that were written with them."""
    name = "The exports are as they were written"
    shelf = read_exports(path, release)
    if shelf is None:
        return Check(name, "none written")
    issues = [Issue("", one, "what `build` writes") for one in damaged_files(shelf)]
    return Check(name, f"{len(shelf.digests)} digests", issues)


async def build_exports(
    archive: Archive, file: Path, progress: ProgressCallback | None = None
) -> ExportFiles:
    """Make the files of an open archive beside it, unless they are there and whole.

    One process makes them while others wait; they come into view all at once. What a killed
    process left is removed, and so are the files of all releases but the newest other one, which
    a server may still have open. Progress is told in rows written.

    Raises:
        ArchiveError: The files cannot be written, or the archive was replaced meanwhile.
    """
    root = exports_directory(file)
    try:
        root.mkdir(mode=0o755, exist_ok=True)
        async with _exclusive_lock(root):
            found = find_exports(file, archive.release)
            if found is not None and not await to_thread.run_sync(damaged_files, found):
                return found
            await _check_release(archive, file)
            folder = root / _key(archive.release)
            await to_thread.run_sync(_remove_old_folders, root, folder)
            with temporary_directory(folder) as temporary:
                digests = await _make(archive, file, temporary, _RowCounter(archive, progress))
                await to_thread.run_sync(_write_index, temporary, file, digests)
                await to_thread.run_sync(commit, temporary, folder)
        return ExportFiles(folder, digests)
    except (OSError, ValueError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ArchiveError(
            f"Cannot write the exports beside {file}: {reason}. Free the disk, or run "
            "`cpc-record build` where the folder can be written."
        ) from error


class _RowCounter:
    """Rows that were written, of all that are to be: each once a file that holds them all."""

    def __init__(self, archive: Archive, progress: ProgressCallback | None) -> None:
        self.done, self.total = 0, 3 * sum(archive.counts.values())
        self.progress = progress

    def __call__(self, rows: int) -> None:
        self.done += rows
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)


async def _check_release(archive: Archive, file: Path) -> None:
    """Write nothing of another release than the one that is open.

    Raises:
        OSError: The file has been replaced.
    """
    if (await to_thread.run_sync(read_meta, file))["release"] != archive.release:
        raise OSError("the archive was replaced by another release")


async def _make(
    archive: Archive, file: Path, folder: Path, wrote: RowCallback
) -> dict[str, FileDigest]:
    """Write every file; returns what each digests."""
    database, package = folder / DATABASE.name, folder / TABLES.name
    await to_thread.run_sync(write_database, file, database, _about(archive), wrote)
    await _check_release(archive, file)
    about = archive.header, archive.release
    await to_thread.run_sync(write_package, database, package, *about, wrote)
    regions = read_batches(archive, Query.from_parameters("regions", {}), None)
    with (folder / REGIONS.name).open("wb") as written:
        async for piece in stream_collection(archive, "regions", regions, GEOJSON):
            written.write(piece)
    digests = {
        one.name: await to_thread.run_sync(digest_file, folder / one.name)
        for one in (TABLES, DATABASE, REGIONS)
    }
    rest = {"release": archive.release, "counts": archive.counts}
    whole = stream_record(archive, {"meta": rest, "links": {"self": RECORD.path}}, wrote)
    return {RECORD.name: await digest_stream(whole), **digests}


async def store_file(shelf: ExportFiles, name: str, pieces: AsyncIterator[bytes]) -> Path:
    """Where a file that depends on settings is, beside those of the release; made if need be.

    Raises:
        OSError: It cannot be written.
    """
    path = shelf.folder / name
    if not await to_thread.run_sync(path.exists):
        with temporary_file(path) as temporary:
            with temporary.open("wb") as file:
                async for piece in pieces:
                    file.write(piece)
            await to_thread.run_sync(commit, temporary, path)
    return path


async def digest_stream(pieces: AsyncIterator[bytes]) -> FileDigest:
    """The length and the digest of a stream."""
    digest, size = hashlib.sha256(), 0
    async for piece in pieces:
        digest.update(piece)
        size += len(piece)
    return FileDigest(size, digest.hexdigest())


def digest_file(path: Path) -> FileDigest:
    """The length and the digest of a file."""
    with path.open("rb") as file:
        return FileDigest(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _about(archive: Archive) -> dict[str, str]:
    terms, outlines = archive.header["license"], archive.header["outlines"]
    return {
        "title": "Child Protection Compact record",
        "release": archive.release,
        "archive_notice": archive.header["archive_notice"],
        "license": terms["title"],
        "license_url": terms["url"],
        "outlines": outlines["reference"]["title"],
        "outlines_url": outlines["reference"]["url"],
        "outlines_license": outlines["reference"]["license"],
        "outlines_note": outlines["note"],
    }


def _write_index(folder: Path, archive: Path, digests: Mapping[str, FileDigest]) -> None:
    """Write the index and bring all to the disk; files take over the archive's time."""
    index = {name: asdict(one) for name, one in digests.items()}
    (folder / _INDEX).write_text(json.dumps(index, indent=1))
    times = archive.stat()
    for path in (*folder.iterdir(), folder):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _remove_old_folders(root: Path, current: Path) -> None:
    """Remove every folder except the newest complete one of another release."""
    folders = [path for path in root.iterdir() if path.is_dir()]
    others = [path for path in folders if path != current and not path.name.startswith(".")]
    newest = max(others, key=lambda path: path.stat().st_ctime_ns, default=None)
    for folder in folders:
        if folder != newest:
            shutil.rmtree(folder)


@asynccontextmanager
async def _exclusive_lock(root: Path) -> AsyncIterator[None]:
    """Wait for the lock of a folder without blocking the event loop, and hold it."""
    descriptor = await to_thread.run_sync(lock, root)
    try:
        yield
    finally:
        os.close(descriptor)


def _key(release: str) -> str:
    """Name of the folder: all that decides what the files hold."""
    decided = f"{release} {_code()} {__version__} {zlib.ZLIB_RUNTIME_VERSION}"
    return hashlib.sha256(decided.encode()).hexdigest()[:32]


@cache
def _code() -> str:
    """Digest of the code that decides what the files hold."""
    here = Path(__file__).parent
    hashed = hashlib.sha256(compiler_digest().encode())
    for path in (*sorted(here.glob("*.py")), here.parent / "responses" / "representations.py"):
        hashed.update(path.read_bytes())
    return hashed.hexdigest()
