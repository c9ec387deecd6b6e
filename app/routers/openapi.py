"""`/openapi.json` and `/openapi-clients.json`: the OpenAPI documents."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from app.archive.archive import Archive
from app.responses.problems import NotFound
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep
from app.routers.meta import index_body, meta_body
from app.routers.openapi_clients import client_document
from app.routers.openapi_document import build_document
from app.routers.problems import problem_body, problem_list_body

router = APIRouter(include_in_schema=False)

CLIENTS_PATH = "/openapi-clients.json"
"""Path of the document for generators of clients."""


@router.get("/openapi.json")
async def get_openapi_document(request: Request, archive: ArchiveDep) -> Response:
    """The OpenAPI document of the served record."""
    return Response(openapi_body(request.app, archive), media_type="application/json")


@router.get(CLIENTS_PATH)
async def get_client_document(request: Request, archive: ArchiveDep) -> Response:
    """The OpenAPI document for generators of clients."""
    document = client_document(json.loads(openapi_body(request.app, archive)))
    return Response(encode_json(document), media_type="application/json")


def openapi_body(app: FastAPI, archive: Archive) -> bytes:
    """The OpenAPI document as JSON, cached until the release changes."""
    cached: tuple[str, bytes] | None = getattr(app.state, "openapi", None)
    if cached is None or cached[0] != archive.release:
        cached = archive.release, encode_json(openapi_document(app, archive))
        app.state.openapi = cached
    return cached[1]


def openapi_document(app: FastAPI, archive: Archive) -> dict[str, Any]:
    """The OpenAPI document, with real responses as the examples of non-collection endpoints."""
    bodies = {
        "/": index_body(archive),
        "/v1": index_body(archive),
        "/v1/meta": meta_body(archive),
        "/problems": problem_list_body(),
        "/problems/{slug}": problem_body(NotFound.slug),
    }
    return build_document(app, archive, bodies)
