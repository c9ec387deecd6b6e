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
    PROGRESS_MIN_ITEMS,
    exit_on_error,
    exit_with,
    progress_bar,
)
from app.models.notation import count_noun


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


def freeze(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="Directory to write to: new, empty, or an older mirror, which is replaced.",
        ),
    ],
    seed: SeedOption = None,
    archive: ArchiveOption = None,
) -> None:
    """Write a static mirror of the API, with configurations for nginx and Caddy."""
    settings = settings_with(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.mirror.freeze import MirrorError, freeze_record  # noqa: PLC0415 - only needed here

    started = time.perf_counter()
    with exit_on_error():
        with progress_bar() as progress:
            build_if_stale(settings.seed_file, settings.archive_file, progress)
        try:
            with progress_bar("Freezing", "responses", PROGRESS_MIN_ITEMS) as progress:
                frozen = anyio.run(freeze_record, settings, folder, progress)
        except MirrorError as error:
            exit_with(EXIT_ARCHIVE, str(error))
    seconds = time.perf_counter() - started
    typer.echo(
        f"{folder}: {count_noun(frozen.addresses, 'URL')} in {count_noun(frozen.files, 'file')}"
    )
    rate = count_noun(round(frozen.addresses / seconds), "URL")
    typer.echo(f"{count_noun(frozen.bytes, 'byte')}; {seconds:.1f} s, {rate} per second")
