"""Files that clients look for: API catalog, robots.txt, sitemap, icons, link preview image."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from app.exports.listing import CATALOG, CATALOG_3
from app.pages.guide.documents import document_slugs
from app.responses.problems import NotFound
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep
from app.routers.exports import ExportCatalogDep
from app.routers.links import API_CATALOG_PATH, LLMS_PATH, entry_link_header
from app.routers.openapi import CLIENTS_PATH

router = APIRouter(include_in_schema=False)

_LINKSET_MEDIA_TYPE = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
_SITEMAP_PATHS = ("/", "/history", "/docs", *(f"/docs/{slug}" for slug in document_slugs()))
"""HTML pages that search engines should index."""


@router.get(API_CATALOG_PATH)
async def get_api_catalog(
    request: Request, archive: ArchiveDep, exports: ExportCatalogDep
) -> Response:
    """The API catalog (RFC 9727) as a JSON linkset (RFC 9264, 4.2).

    Raises:
        NotFound: `PUBLIC_URL` is not set.
    """
    origin = _origin(request, "The API catalog")
    service: dict[str, Any] = {
        "anchor": f"{origin}/v1",
        "service-desc": [
            {"href": f"{origin}/openapi.json", "type": "application/json", "title": "OpenAPI"},
            {
                "href": f"{origin}{CLIENTS_PATH}",
                "type": "application/json",
                "title": "OpenAPI for generators of clients: JSON alone",
            },
        ],
        "service-doc": [
            {"href": f"{origin}/docs", "type": "text/html"},
            {"href": f"{origin}{LLMS_PATH}", "type": "text/plain"},
        ],
        "service-meta": [{"href": f"{origin}/v1/meta", "type": "application/json"}],
        "status": [{"href": f"{origin}/readyz", "type": "application/json"}],
        "license": [{"href": archive.metadata["license"]["url"]}],
    }
    described = [
        {
            "href": f"{origin}{export.path}",
            "type": export.media_type,
            "title": export.title,
            "profile": [{"value": export.conforms_to}],
        }
        for export in (CATALOG, CATALOG_3)
        if not exports.missing_settings(export.name)
    ]
    if described:
        service["describedby"] = described
    catalog = {"anchor": f"{origin}{API_CATALOG_PATH}", "item": [{"href": f"{origin}/v1"}]}
    body = encode_json({"linkset": [catalog, service]})
    return Response(
        body, headers=entry_link_header(request, archive), media_type=_LINKSET_MEDIA_TYPE
    )


@router.get("/robots.txt")
async def get_robots(request: Request) -> Response:
    """Crawler rules (RFC 9309): everything is allowed except searches and query strings."""
    lines = ["User-agent: *", "Allow: /", "Disallow: /v1/*?", "Disallow: /v1/search"]
    origin = request.app.state.settings.public_url
    if origin:
        lines += ["", f"Sitemap: {origin}/sitemap.xml"]
    return PlainTextResponse("\n".join([*lines, ""]))


@router.get("/sitemap.xml")
async def get_sitemap(request: Request, archive: ArchiveDep) -> Response:
    """The sitemap of the HTML pages (sitemaps.org, 0.9).

    Raises:
        NotFound: `PUBLIC_URL` is not set.
    """
    origin = _origin(request, "The sitemap")
    modified = f"<lastmod>{archive.metadata['modified']}</lastmod>"
    urls = (f"<url><loc>{escape(origin + path)}</loc>{modified}</url>" for path in _SITEMAP_PATHS)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(urls)
        + "\n</urlset>\n"
    )
    return Response(body, media_type="application/xml")


@router.get("/favicon.svg")
async def get_svg_icon() -> Response:
    """The icon as SVG."""
    return Response(_asset("favicon.svg"), media_type="image/svg+xml")


@router.get("/favicon.ico")
async def get_ico_icon() -> Response:
    """The icon as ICO, for clients that request `/favicon.ico` by convention."""
    return Response(_asset("favicon.ico"), media_type="image/x-icon")


@router.get("/preview.png")
async def get_preview() -> Response:
    """The preview image of shared links (Open Graph)."""
    return Response(_asset("preview.png"), media_type="image/png")


@cache
def _asset(name: str) -> bytes:
    return (files("app.pages.record") / "assets" / name).read_bytes()


def _origin(request: Request, subject: str) -> str:
    origin: str | None = request.app.state.settings.public_url
    if origin is None:
        raise NotFound(f"{subject} needs absolute URLs. To enable it, set PUBLIC_URL.")
    return origin
