"""Options that several commands have, and the settings that they override."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from app.commands.output import EXIT_USAGE, exit_with
from app.settings import ConfigurationError, Settings, read_settings

SeedOption = Annotated[
    Path | None,
    typer.Option("--seed", metavar="FILE", help="Seed file [default: SEED_FILE]."),
]
ArchiveOption = Annotated[
    Path | None,
    typer.Option("--archive", metavar="FILE", help="Compiled database [default: ARCHIVE_FILE]."),
]
CopyOption = Annotated[
    str,
    typer.Option(
        "--source", metavar="[ID=]FILE", help="Copy of the page, after the id of its source."
    ),
]
CopiesOption = Annotated[
    list[str],
    typer.Option(
        "--source",
        metavar="[ID=]FILE",
        help="Copy of a page, after the id of its source if the seed has several. Repeat the "
        "option for several pages.",
    ),
]


def settings_with(**options: object) -> Settings:
    """Read the settings, after writing options to the environment, where workers read them."""
    os.environ.update({name: str(value) for name, value in options.items() if value is not None})
    try:
        return read_settings()
    except ConfigurationError as error:
        exit_with(EXIT_USAGE, str(error))


def split_copy(argument: str) -> tuple[str, str]:
    """The id of the source before a copy, empty if none is given, and its path."""
    id_, separator, path = argument.partition("=")
    return ("", argument) if not separator or Path(argument).exists() else (id_, path)
