"""Commands that print schemas: of the seed file, and of the API."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from app.archive.archive import Archive
from app.archive.release import build_if_stale
from app.commands.options import ArchiveOption, SeedOption, settings_with
from app.commands.output import exit_on_error


def schema() -> None:
    """Print the JSON Schema of the seed file."""
    from app.seed.record import seed_schema  # noqa: PLC0415 - only needed here

    print(json.dumps(seed_schema(), indent=2, ensure_ascii=False))


def openapi(
    seed: SeedOption = None,
    archive: ArchiveOption = None,
    clients: Annotated[
        bool, typer.Option("--clients", help="Describe JSON alone, for generators of clients.")
    ] = False,
) -> None:
    """Print the OpenAPI document of the API, with examples from the record."""
    settings = settings_with(SEED_FILE=seed, ARCHIVE_FILE=archive)
    from app.main import create_app  # noqa: PLC0415 - only needed here
    from app.routers.openapi import openapi_document  # noqa: PLC0415
    from app.routers.openapi_clients import client_document  # noqa: PLC0415

    with exit_on_error():
        build_if_stale(settings.seed_file, settings.archive_file)
        opened = Archive.open(settings.archive_file)
    document = openapi_document(create_app(settings), opened)
    if clients:
        document = client_document(document)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    opened.close()
