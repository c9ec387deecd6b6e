"""The mirror as a whole: written in one piece, or not at all."""

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
from app.archive.atomic import commit, temporary_folder
from app.main import create_app
from app.mirror.asgi_client import AsgiClient, IncompleteResponseError
from app.mirror.configuration import CONFIGURATION_FILES, render_configuration
from app.mirror.crawl import CrawlError, CrawlResult, crawl
from app.mirror.entries import FILES, Downloader, mtime_from_digest
from app.mirror.rules import build_rules
from app.settings import Settings

MANIFEST, SUMMARY = "manifest.ndjson", "mirror.json"


class MirrorError(Exception):
    """A mirror that cannot be written or read; the message is a sentence for a person."""


@dataclass(frozen=True, slots=True)
class MirrorSummary:
    """What was written.

    Attributes:
        addresses: Number of addresses.
        files: Number of files behind them.
        bytes: Their length together.
    """

    addresses: int
    files: int
    bytes: int


async def freeze_record(settings: Settings, folder: Path, told: ProgressCallback) -> MirrorSummary:
    """Write the mirror of the application that these settings make.

    Raises:
        MirrorError: As `freeze`.
    """
    app = create_app(internal_settings(settings))
    async with app.router.lifespan_context(app):
        return await freeze(app, app.state.archive, folder, told)


def internal_settings(settings: Settings) -> Settings:
    """The same settings for an application that nobody asks but this program."""
    return settings.model_copy(
        update={"access_log": False, "allowed_hosts": None, "telemetry": "off"}
    )


async def freeze(
    app: FastAPI, archive: Archive, folder: Path, told: ProgressCallback
) -> MirrorSummary:
    """Write the mirror of an application that has started, in the place of one that is there.

    Until it is whole it grows beside its place; then the two are exchanged at once.

    Raises:
        MirrorError: The folder holds something else, cannot be written, or is being written.
    """
    folder = Path.cwd() / folder
    _check_place(folder)
    try:
        with temporary_folder(folder) as temporary:
            frozen = await fill(app, archive, temporary, told)
            commit(temporary, folder)
    except BlockingIOError:
        raise MirrorError(f"{folder} is being written by another process.") from None
    except (CrawlError, IncompleteResponseError, ValueError) as error:
        raise MirrorError(f"Cannot write the mirror {folder}: {error}.") from error
    except OSError as error:
        raise MirrorError(
            f"Cannot write the mirror {folder}: {error.strerror or error}. Free the disk, or name "
            "a folder whose parent can be written."
        ) from error
    return frozen


async def fill(
    app: FastAPI, archive: Archive, folder: Path, told: ProgressCallback
) -> MirrorSummary:
    """Write everything of a mirror into an empty folder."""
    (folder / FILES).mkdir()
    client = AsgiClient(app)
    gathered = CrawlResult()
    count = files = size = 0
    with (folder / MANIFEST).open("xb") as manifest:
        taker = Downloader(client, folder / FILES)
        async for entry in crawl(app, archive, taker, gathered, told):
            manifest.write(entry.manifest_line())
            count += 1
            files += len(entry.files)
            size += sum(one.bytes for one in entry.files)
    rules = await build_rules(client, gathered.pages, gathered.items)
    for name, text in render_configuration(rules).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    frozen = MirrorSummary(count, files, size)
    summary = _summary(archive.release, gathered, frozen, folder)
    (folder / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
    for name in (MANIFEST, SUMMARY, *CONFIGURATION_FILES):
        os.utime(folder / name, (mtime_from_digest(digest_of(folder / name)),) * 2)
    return frozen


def _summary(
    release: str, gathered: CrawlResult, frozen: MirrorSummary, folder: Path
) -> dict[str, Any]:
    """What the mirror says of itself; it seals the manifest and the configuration."""
    return {
        "release": release,
        "version": __version__,
        "addresses": frozen.addresses,
        "files": frozen.files,
        "bytes": frozen.bytes,
        "as_lines": [one.url for one in gathered.pages if one.note],
        "left_out": gathered.left_out,
        "sha256": {name: digest_of(folder / name) for name in (MANIFEST, *CONFIGURATION_FILES)},
    }


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_place(folder: Path) -> None:
    """Let nothing but a mirror be replaced.

    Raises:
        MirrorError: There is something else.
    """
    if not folder.parent.is_dir():
        raise MirrorError(f"{folder.parent} is no folder; make it, or name another.")
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise MirrorError(f"{folder} is no folder; name one that is new, empty or a mirror.")
    if folder.exists() and any(folder.iterdir()) and not (folder / SUMMARY).is_file():
        raise MirrorError(
            f"{folder} holds something else; name one that is new, empty or a mirror."
        )
