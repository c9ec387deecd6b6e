"""`/dataset.jsonld` and `/llms.txt`: descriptions for search engines and language models."""

from __future__ import annotations

import json
import sqlite3
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from app.archive.archive import Archive
from app.exports.listing import Export
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep
from app.routers.exports import ExportCatalogDep
from app.routers.links import (
    DATASET_MEDIA_TYPE,
    DATASET_PATH,
    LLMS_PATH,
    description_link_header,
    whole_exports,
)
from app.routers.openapi import openapi_body
from app.settings import Settings

router = APIRouter(include_in_schema=False)


@router.get(DATASET_PATH)
async def get_dataset(request: Request, archive: ArchiveDep, exports: ExportCatalogDep) -> Response:
    """The record as a schema.org Dataset in JSON-LD, the same as in the record page."""
    describe = partial(
        _describe_dataset, archive, await exports.available(), request.app.state.settings
    )
    body = encode_json(await archive.run_in_thread(describe))
    return Response(body, headers=description_link_header(archive), media_type=DATASET_MEDIA_TYPE)


@router.get(LLMS_PATH)
async def get_llms_text(
    request: Request, archive: ArchiveDep, exports: ExportCatalogDep
) -> Response:
    """The overview for language models (llmstxt.org).

    It is Markdown, sent as plain text, because some browsers do not display Markdown.
    """
    from app.pages.llms import llms_text  # noqa: PLC0415 - only this request needs it

    document = json.loads(openapi_body(request.app, archive))
    origin = request.app.state.settings.public_url
    downloads = whole_exports(await exports.available())
    return PlainTextResponse(llms_text(archive, document, downloads, origin))


def _describe_dataset(
    archive: Archive, exports: list[Export], settings: Settings, connection: sqlite3.Connection
) -> dict[str, Any]:
    """The description. Its module is imported on the first request to speed up startup."""
    from app.pages.record.dataset import Publication, dataset_description  # noqa: PLC0415 - see above

    publication = Publication(settings.public_url, settings.publisher_name, exports)
    return dataset_description(archive, publication, connection)
