"""For machines that find things: the API catalogue, the site map, icons, the preview."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any
from xml.sax.saxutils import escape

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from app.responses.problems import NotFound
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep
from app.routers.meta import entry_link_header

router = APIRouter(include_in_schema=False)

_CATALOGUE = "/.well-known/api-catalog"
_LINKSET = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
_PAGES = ("/", "/docs")
"""What is worth a visit by a search engine."""


@router.get(_CATALOGUE)
async def get_catalogue(request: Request, archive: ArchiveDep) -> Response:
    """The API catalogue (RFC 9727), a set of links in JSON (RFC 9264, 4.2).

    Raises:
        NotFound: The address of the API is not set.
    """
    origin = _origin(request, "An API catalogue")
    service: dict[str, Any] = {
        "anchor": f"{origin}/v1",
        "service-desc": [{"href": f"{origin}/openapi.json", "type": "application/json"}],
        "service-doc": [{"href": f"{origin}/docs", "type": "text/html"}],
        "service-meta": [{"href": f"{origin}/v1/meta", "type": "application/json"}],
        "status": [{"href": f"{origin}/readyz", "type": "application/json"}],
        "license": [{"href": archive.header["license"]["url"]}],
    }
    listed = {"anchor": f"{origin}{_CATALOGUE}", "item": [{"href": f"{origin}/v1"}]}
    body = encode_json({"linkset": [listed, service]})
    return Response(body, headers=entry_link_header(archive), media_type=_LINKSET)


@router.get("/robots.txt")
async def get_robots(request: Request) -> Response:
    """What crawlers may visit (RFC 9309): everything but the many ways of asking for it."""
    lines = ["User-agent: *", "Allow: /", "Disallow: /v1/*?", "Disallow: /v1/search"]
    origin = request.app.state.settings.public_url
    if origin:
        lines += ["", f"Sitemap: {origin}/sitemap.xml"]
    return PlainTextResponse("\n".join([*lines, ""]))


@router.get("/sitemap.xml")
async def get_site_map(request: Request, archive: ArchiveDep) -> Response:
    """The pages for people (sitemaps.org, 0.9).

    Raises:
        NotFound: The address of the API is not set.
    """
    origin = _origin(request, "A site map")
    changed = f"<lastmod>{archive.header['modified']}</lastmod>"
    urls = (f"<url><loc>{escape(origin + page)}</loc>{changed}</url>" for page in _PAGES)
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        + "\n".join(urls)
        + "\n</urlset>\n"
    )
    return Response(body, media_type="application/xml")


@router.get("/favicon.svg")
async def get_icon() -> Response:
    """The icon."""
    return Response(_asset("favicon.svg"), media_type="image/svg+xml")


@router.get("/favicon.ico")
async def get_old_icon() -> Response:
    """The icon, for what asks without reading the page."""
    return Response(_asset("favicon.ico"), media_type="image/x-icon")


@router.get("/preview.png")
async def get_preview() -> Response:
    """The picture that a link to the page is shown with (Open Graph)."""
    return Response(_asset("preview.png"), media_type="image/png")


@cache
def _asset(name: str) -> bytes:
    return (files("app.pages.record") / "assets" / name).read_bytes()


def _origin(request: Request, what: str) -> str:
    origin: str | None = request.app.state.settings.public_url
    if origin is None:
        raise NotFound(f"{what} names full addresses. To give it, set PUBLIC_URL.")
    return origin
