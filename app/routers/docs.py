"""`/docs`: the guide and the interactive API reference, served without third-party hosts."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.pages.guide.context import guide_context
from app.pages.guide.rendering import static_file
from app.responses.problems import NotFound
from app.routers.dependencies import ArchiveDep
from app.routers.html import html_response
from app.routers.openapi import openapi_body

router = APIRouter(include_in_schema=False)

_SWAGGER_UI = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_OWN = {"docs.js": "text/javascript", "reading.css": "text/css", "reference.css": "text/css"}
_ASSETS = {**_SWAGGER_UI, **_OWN}


@router.get("/docs")
async def get_docs(request: Request, archive: ArchiveDep) -> Response:
    """The guide, followed by the Swagger UI reference."""
    document = json.loads(openapi_body(request.app, archive))
    context = guide_context(archive, document, request.app.state.settings.public_url)
    return await html_response(request.scope, "docs.html", **context)


@router.get("/docs/{asset}")
async def get_asset(request: Request) -> Response:
    """A script or style sheet of the documentation.

    Raises:
        NotFound: No asset has this name.
    """
    asset = request.path_params["asset"]
    if asset not in _ASSETS:
        raise NotFound(f"No such file. Files of the documentation: {', '.join(_ASSETS)}.")
    content = _swagger_ui_file(asset) if asset in _SWAGGER_UI else static_file(asset)
    return Response(content, media_type=_ASSETS[asset])


@cache
def _swagger_ui_file(name: str) -> bytes:
    return (files("fastapi_offline") / "static" / name).read_bytes()
