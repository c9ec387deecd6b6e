"""`/docs`: the guide, the API reference and the project's documents, from this host alone."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from app.archive.archive import Archive
from app.pages.guide.context import guide_context
from app.pages.guide.documents import document_groups, document_slugs, read_document, read_images
from app.pages.guide.rendering import render_template, static_file
from app.pages.guide.search_index import search_entries
from app.responses.formats import JSON
from app.responses.problems import NotFound
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep
from app.routers.html import html_response
from app.routers.openapi import openapi_body

router = APIRouter(include_in_schema=False)

SEARCH_PATH = "/docs/search.json"
"""Path of the search index."""
_ASSETS = {
    "docs.css": "text/css",
    "docs.js": "text/javascript",
    "reading.css": "text/css",
    "try.js": "text/javascript",
}


@router.get("/docs")
async def get_docs(request: Request, archive: ArchiveDep) -> Response:
    """The guide, followed by the reference."""
    return await html_response(request.scope, "docs.html", **_context(request, archive))


@router.get(SEARCH_PATH)
async def get_search_index(request: Request, archive: ArchiveDep) -> Response:
    """The search index of the documentation."""
    body = await run_in_threadpool(_search_index, _context(request, archive))
    return Response(body, media_type=JSON.content_type)


@router.get("/docs/images/{name}")
async def get_image(request: Request) -> Response:
    """A picture of a document.

    Raises:
        NotFound: No picture has this name.
    """
    name, images = request.path_params["name"], read_images()
    if name not in images:
        raise NotFound(f"No such picture. There are {', '.join(images)}.")
    return Response(images[name], media_type="image/png")


@router.get("/docs/{name}")
async def get_document(request: Request) -> Response:
    """A document as a page, or a script or style sheet of the documentation.

    Raises:
        NotFound: No document or file has this name.
    """
    name = request.path_params["name"]
    if name in document_slugs():
        context = {"document": read_document(name), "document_groups": document_groups()}
        return await html_response(request.scope, "document.html", **context)
    if name in _ASSETS:
        return Response(static_file(name), media_type=_ASSETS[name])
    names = ", ".join((*document_slugs(), *_ASSETS))
    raise NotFound(f"No such page or file. Below /docs there are {names}.")


def _context(request: Request, archive: Archive) -> dict[str, Any]:
    document = json.loads(openapi_body(request.app, archive))
    return guide_context(archive, document, request.app.state.settings)


def _search_index(context: dict[str, Any]) -> bytes:
    guide = render_template("guide.html", **context).decode()
    documents = [each for group in context["document_groups"].values() for each in group]
    entries = search_entries(guide, context["sections"], context["reference"], documents)
    return encode_json({"data": entries})
