"""Writes a mirror: every response as a file, replaced as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from app import __version__
from app.archive.archive import Archive, ProgressCallback
from app.archive.atomic import move_into_place, temporary_directory
from app.main import create_app
from app.mirror.asgi_client import AsgiClient, IncompleteResponseError
from app.mirror.configuration import CONFIGURATION_FILES, render_configuration
from app.mirror.crawl import CrawlResult, crawl
from app.mirror.entries import FILES, CrawlError, Downloader, mtime_from_digest
from app.mirror.rules import build_rules
from app.settings import Settings

MANIFEST, SUMMARY = "manifest.ndjson", "mirror.json"


class MirrorError(Exception):
    """A mirror that cannot be written; the message is meant for the user."""


@dataclass(frozen=True, slots=True)
class MirrorSummary:
    """Size of a mirror.

    Attributes:
        addresses: Number of URLs.
        files: Number of files that serve them.
        bytes: Total size of the files.
    """

    addresses: int
    files: int
    bytes: int


async def freeze_record(
    settings: Settings, directory: Path, progress: ProgressCallback
) -> MirrorSummary:
    """Start the application with these settings and write its mirror.

    Raises:
        MirrorError: As `freeze`.
    """
    app = create_app(internal_settings(settings))
    async with app.router.lifespan_context(app):
        return await freeze(app, app.state.archive, directory, progress)


def internal_settings(settings: Settings) -> Settings:
    """The settings for an application that serves no client but this program."""
    return settings.model_copy(
        update={"access_log": False, "allowed_hosts": None, "telemetry": "off"}
    )


async def freeze(
    app: FastAPI, archive: Archive, directory: Path, progress: ProgressCallback
) -> MirrorSummary:
    """Write the mirror of a running application, replacing an existing mirror.

    It is written to a temporary directory next to the target and moved there when complete.

    Raises:
        MirrorError: The directory is not a mirror, is being written, or cannot be written.
    """
    directory = Path.cwd() / directory
    _check_target(directory)
    try:
        with temporary_directory(directory) as temporary:
            summary = await _write_mirror(app, archive, temporary, progress)
            move_into_place(temporary, directory)
    except BlockingIOError:
        raise MirrorError(f"{directory} is being written by another process.") from None
    except (CrawlError, IncompleteResponseError, ValueError) as error:
        raise MirrorError(f"Cannot write the mirror {directory}: {error}.") from error
    except OSError as error:
        raise MirrorError(
            f"Cannot write the mirror {directory}: {error.strerror or error}. Free disk space, or "
            "name a directory whose parent is writable."
        ) from error
    return summary


async def _write_mirror(
    app: FastAPI, archive: Archive, directory: Path, progress: ProgressCallback
) -> MirrorSummary:
    """Write all files of a mirror to an empty directory."""
    (directory / FILES).mkdir()
    client, result = AsgiClient(app), CrawlResult()
    urls = files = size = 0
    with (directory / MANIFEST).open("xb") as manifest:
        downloader = Downloader(client, directory / FILES)
        async for entry in crawl(app, archive, downloader, result, progress):
            manifest.write(entry.manifest_line())
            urls += 1
            files += len(entry.files)
            size += sum(file.bytes for file in entry.files)
    rules = await build_rules(client, result.pages, result.items)
    for name, text in render_configuration(rules).items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text, "utf-8")
    summary = MirrorSummary(urls, files, size)
    description = _describe(archive.release, result, summary, directory)
    (directory / SUMMARY).write_text(json.dumps(description, indent=1) + "\n", "utf-8")
    set_own_mtimes(directory)
    return summary


def set_own_mtimes(directory: Path) -> None:
    """Set the modification times of a mirror's files that are not served."""
    for name in (MANIFEST, SUMMARY, *CONFIGURATION_FILES):
        mtime = mtime_from_digest(file_sha256(directory / name))
        os.utime(directory / name, (mtime, mtime))


def _describe(
    release: str, result: CrawlResult, summary: MirrorSummary, directory: Path
) -> dict[str, Any]:
    """Content of `mirror.json`, with the digests of the manifest and the configuration files."""
    names = (MANIFEST, *CONFIGURATION_FILES)
    return {
        "release": release,
        "version": __version__,
        "addresses": summary.addresses,
        "files": summary.files,
        "bytes": summary.bytes,
        "as_lines": [page.url for page in result.pages if page.note],
        "left_out": result.left_out,
        "sha256": {name: file_sha256(directory / name) for name in names},
    }


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_target(directory: Path) -> None:
    """Refuse to replace anything but a mirror.

    Raises:
        MirrorError: The target exists and is neither empty nor a mirror, or has no parent.
    """
    advice = "name a directory that is new, empty or a mirror"
    if not directory.parent.is_dir():
        raise MirrorError(f"{directory.parent} is not a directory; create it, or {advice}.")
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise MirrorError(f"{directory} is not a directory; {advice}.")
    if directory.exists() and any(directory.iterdir()) and not (directory / SUMMARY).is_file():
        raise MirrorError(f"{directory} contains other files; {advice}.")
