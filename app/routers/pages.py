"""For people and tools: the documentation, the OpenAPI document."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response

from app.archive import Archive
from app.openapi import TITLE, describe
from app.problems import NotFound
from app.representations import encode
from app.routers.dependencies import ArchiveDep
from app.routers.meta import index_body, meta_body
from app.routers.problems import kind_body, kinds_body

router = APIRouter(include_in_schema=False)

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}


@router.get("/openapi.json")
async def get_openapi_document(request: Request, archive: ArchiveDep) -> Response:
    """The OpenAPI document."""
    return Response(_openapi(request.app, archive), media_type="application/json")


@router.get("/docs")
async def get_docs() -> HTMLResponse:
    """The documentation, rendered by Swagger UI from assets of this origin alone."""
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=TITLE,
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/favicon.svg",
        swagger_ui_parameters={
            "defaultModelsExpandDepth": 0,
            "displayRequestDuration": True,
            "tryItOutEnabled": False,
            "validatorUrl": None,
        },
    )


@router.get("/docs/{asset}")
async def get_asset(asset: str) -> Response:
    """A script or style sheet of the documentation.

    Raises:
        NotFound: The documentation has no such asset.
    """
    if asset not in _ASSETS:
        raise NotFound(f"The documentation has no such asset; it has {', '.join(_ASSETS)}.")
    return Response(_asset(asset), media_type=_ASSETS[asset])


@cache
def _asset(name: str) -> bytes:
    return (files("fastapi_offline") / "static" / name).read_bytes()


def _openapi(app: FastAPI, archive: Archive) -> bytes:
    if not hasattr(app.state, "openapi"):
        app.state.openapi = encode(openapi_document(app, archive))
    document: bytes = app.state.openapi
    return document


def openapi_document(app: FastAPI, archive: Archive) -> dict[str, Any]:
    """The OpenAPI document, with the answers of the pages themselves as their examples."""
    bodies = {
        "/": index_body(archive),
        "/v1": index_body(archive),
        "/v1/meta": meta_body(archive),
        "/problems": kinds_body(),
        "/problems/{slug}": kind_body(NotFound.slug),
    }
    return describe(app, archive, bodies)
