"""Commands that compile the record and write it to files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import anyio
import typer

from app.archive.archive import COLLECTIONS, Archive
from app.archive.release import build_archive, build_if_stale
from app.commands.options import ArchiveOption, SeedOption, settings_with
from app.commands.output import (
    EXIT_ARCHIVE,
    EXIT_USAGE,
    PROGRESS_MIN_ITEMS,
    exit_on_error,
    exit_with,
    progress_bar,
)
from app.models.notation import count_noun
from app.settings import Settings

_NO_FASTWARC = "--warc requires fastwarc: pip install --require-hashes -r requirements-archive.txt"
_NO_PUBLIC_URL = "--warc requires PUBLIC_URL: a web archive names every response by its URL."
BagOption = Annotated[
    bool,
    typer.Option("--bag", help="Put the mirror into a bag (BagIt 1.0): DIR is the bag."),
]
CrateOption = Annotated[
    bool,
    typer.Option("--crate", help="Describe the mirror as a research object (RO-Crate 1.2)."),
]
WarcOption = Annotated[
    bool,
    typer.Option("--warc", help="Add the responses as a web archive (WARC 1.1)."),
]


def build(seed: SeedOption = None, archive: ArchiveOption = None) -> None:
    """Check the seed, compile it to the archive, and write the export files next to it."""
    settings = settings_with(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.exports.catalog import ExportCatalog  # noqa: PLC0415 - only needed here

    started = time.perf_counter()
    with exit_on_error():
        with progress_bar() as progress:
            build_archive(settings.seed_file, settings.archive_file, progress)
        opened = Archive.open(settings.archive_file)
        with progress_bar("Writing exports", "rows", PROGRESS_MIN_ITEMS) as progress:
            digests = anyio.run(ExportCatalog(opened, settings).build, progress)
        opened.close()
    seconds = time.perf_counter() - started
    counts = ", ".join(
        f"{count} {COLLECTIONS[name].type if count == 1 else name}"
        for name, count in opened.counts.items()
    )
    sizes = ", ".join(f"{name} {digest.bytes}" for name, digest in digests.items())
    typer.echo(f"{settings.archive_file}: release {opened.label} ({opened.release})")
    typer.echo(f"{counts}; {seconds:.1f} s")
    typer.echo(f"Exports, in bytes: {sizes}")


def freeze(  # noqa: PLR0913, PLR0917 - one for each option
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Directory to write to: new, empty, or an older mirror or bag, which is replaced.",
        ),
    ],
    bag: BagOption = False,
    crate: CrateOption = False,
    warc: WarcOption = False,
    seed: SeedOption = None,
    archive: ArchiveOption = None,
) -> None:
    """Write a static mirror of the API, with configurations for nginx and Caddy.

    With `--bag`, `--crate` and `--warc`, which can be combined, also in the forms that archives and
    repositories take in.
    """
    settings = settings_with(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.mirror.freeze import MirrorError, freeze_record  # noqa: PLC0415 - only needed here
    from app.mirror.packaging import Packaging  # noqa: PLC0415

    if warc:
        _check_warc(settings)
    packaging = Packaging(bag=bag, crate=crate, warc=warc)
    started = time.perf_counter()
    with exit_on_error():
        with progress_bar() as progress:
            build_if_stale(settings.seed_file, settings.archive_file, progress)
        try:
            with progress_bar("Freezing", "responses", PROGRESS_MIN_ITEMS) as progress:
                frozen = anyio.run(freeze_record, settings, folder, packaging, progress)
        except MirrorError as error:
            exit_with(EXIT_ARCHIVE, str(error))
    seconds = time.perf_counter() - started
    typer.echo(
        f"{folder}: {count_noun(frozen.addresses, 'URL')} in {count_noun(frozen.files, 'file')}"
    )
    rate = count_noun(round(frozen.addresses / seconds), "URL")
    typer.echo(f"{count_noun(frozen.bytes, 'byte')}; {seconds:.1f} s, {rate} per second")


def _check_warc(settings: Settings) -> None:
    """Exit if no web archive can be written."""
    from app.mirror.warc import can_write_warc  # noqa: PLC0415 - only needed here

    if settings.public_url is None:
        exit_with(EXIT_USAGE, _NO_PUBLIC_URL)
    if not can_write_warc():
        exit_with(EXIT_USAGE, _NO_FASTWARC)
