"""Writes a mirror: every response as a file, replaced as a whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from app import __version__
from app.archive.archive import ProgressCallback
from app.archive.atomic import move_into_place, temporary_directory
from app.exports.files import digest_file
from app.main import create_app
from app.mirror.asgi_client import AsgiClient, IncompleteResponseError
from app.mirror.bag import PAYLOAD, write_bag
from app.mirror.configuration import CONFIGURATION_FILES, render_configuration
from app.mirror.crate import CRATE
from app.mirror.crawl import CrawlResult, crawl
from app.mirror.entries import (
    FILES,
    MANIFEST,
    SUMMARY,
    CrawlError,
    Downloader,
    mtime_from_digest,
)
from app.mirror.packaging import ADDITIONS, Packaging, describe_bag, describe_crate, new_warc
from app.mirror.rules import build_rules
from app.settings import Settings


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
    settings: Settings, directory: Path, packaging: Packaging, progress: ProgressCallback
) -> MirrorSummary:
    """Start the application with these settings and write its mirror.

    Raises:
        MirrorError: As `freeze`.
    """
    app = create_app(internal_settings(settings))
    async with app.router.lifespan_context(app):
        return await freeze(app, directory, packaging, progress)


def internal_settings(settings: Settings) -> Settings:
    """The settings for an application that serves no client but this program."""
    return settings.model_copy(
        update={"access_log": False, "allowed_hosts": None, "telemetry": "off"}
    )


async def freeze(
    app: FastAPI, directory: Path, packaging: Packaging, progress: ProgressCallback
) -> MirrorSummary:
    """Write the mirror of a running application, replacing an existing mirror or bag of one.

    It is written to a temporary directory next to the target and moved there when complete.

    Raises:
        MirrorError: The directory is not a mirror, is being written, or cannot be written.
    """
    directory = Path.cwd() / directory
    check_target(directory)
    try:
        with temporary_directory(directory) as temporary:
            mirror = temporary / PAYLOAD if packaging.bag else temporary
            summary = await _write_mirror(app, mirror, packaging, progress)
            if packaging.bag:
                _set_mtimes(write_bag(temporary, describe_bag(app)))
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
    app: FastAPI, directory: Path, packaging: Packaging, progress: ProgressCallback
) -> MirrorSummary:
    """Write all files of a mirror to an empty directory, or to one that does not exist."""
    (directory / FILES).mkdir(parents=True)
    client, result = AsgiClient(app), CrawlResult()
    urls = files = size = 0
    with ExitStack() as stack:
        manifest = stack.enter_context((directory / MANIFEST).open("xb"))
        warc = stack.enter_context(new_warc(app, directory)) if packaging.warc else None
        downloader = Downloader(client, directory / FILES)
        async for entry in crawl(app, app.state.archive, downloader, result, progress):
            manifest.write(entry.manifest_line())
            urls += 1
            files += len(entry.files)
            size += sum(file.bytes for file in entry.files)
            if warc is not None:
                await warc.add(entry)
    rules = await build_rules(client, result.pages, result.items)
    for name, text in render_configuration(rules).items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text, "utf-8")
    if packaging.crate:
        (directory / CRATE).write_text(describe_crate(app, result.pages, directory), "utf-8")
    summary = MirrorSummary(urls, files, size)
    archive = app.state.archive
    names = {"release": archive.release, "label": archive.label}
    description = {**names, **_describe(result, summary, directory)}
    (directory / SUMMARY).write_text(json.dumps(description, indent=1) + "\n", "utf-8")
    set_own_mtimes(directory)
    return summary


def set_own_mtimes(directory: Path) -> None:
    """Set the modification times of a mirror's files that are not served."""
    names = (MANIFEST, SUMMARY, *CONFIGURATION_FILES, *ADDITIONS)
    _set_mtimes(path for name in names if (path := directory / name).exists())


def _set_mtimes(paths: Iterable[Path]) -> None:
    for path in paths:
        mtime = mtime_from_digest(digest_file(path).sha256)
        os.utime(path, (mtime, mtime))


def _describe(result: CrawlResult, summary: MirrorSummary, directory: Path) -> dict[str, Any]:
    """Content of `mirror.json`, with the digests of all files that are not in the manifest."""
    names = (MANIFEST, *CONFIGURATION_FILES, *ADDITIONS)
    return {
        "version": __version__,
        "addresses": summary.addresses,
        "files": summary.files,
        "bytes": summary.bytes,
        "as_lines": [page.url for page in result.pages if page.note],
        "left_out": result.left_out,
        "sha256": {
            name: digest_file(path).sha256 for name in names if (path := directory / name).exists()
        },
    }


def check_target(directory: Path) -> None:
    """Refuse to replace anything but a mirror, or a bag of one.

    Raises:
        MirrorError: The target exists and is neither empty nor a mirror, or has no parent.
    """
    advice = "name a directory that is new, empty or a mirror"
    if not directory.parent.is_dir():
        raise MirrorError(f"{directory.parent} is not a directory; create it, or {advice}.")
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise MirrorError(f"{directory} is not a directory; {advice}.")
    is_mirror = any((mirror / SUMMARY).is_file() for mirror in (directory, directory / PAYLOAD))
    if directory.exists() and any(directory.iterdir()) and not is_mirror:
        raise MirrorError(f"{directory} contains other files; {advice}.")
