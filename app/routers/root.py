"""`/`: the record page as HTML for browsers, the index as JSON otherwise."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.archive.archive import Archive
from app.exports.listing import Export
from app.responses.formats import HTML, JSON, negotiate_format
from app.routers.dependencies import ArchiveDep, accept_header
from app.routers.exports import ExportCatalogDep
from app.routers.links import landing_page_link_header
from app.routers.meta import Index, index_body
from app.routers.openapi_responses import PAGE_LINK_HEADER, openapi_responses
from app.routers.route import Route
from app.settings import Settings

if TYPE_CHECKING:
    from app.pages.record.rendering import RenderedPage

router = APIRouter(tags=["meta"], route_class=Route)


@router.get(
    "/",
    operation_id="getEntry",
    summary="Get the record page or the index",
    description="If `Accept` prefers `text/html`, as browsers do, the response is a page about "
    "the partnership: its timeline, awards, activities and regions, with a footnote citing the "
    "source of every value. Otherwise it is the index, as at `/v1`.",
    response_model=Index,
    response_description="HTML for browsers, the index as JSON otherwise.",
    responses=openapi_responses(headers=PAGE_LINK_HEADER, formats=(JSON, HTML)),
)
async def get_root(request: Request, archive: ArchiveDep, exports: ExportCatalogDep) -> Response:
    """The record page or the index, by content negotiation."""
    settings: Settings = request.app.state.settings
    available = await exports.available()
    headers = landing_page_link_header(request, archive, available)
    if negotiate_format(accept_header(request), (JSON, HTML)) != HTML:
        body = index_body(archive, has_feed=settings.public_url is not None)
        return Response(body, headers=headers, media_type=JSON.content_type)
    page = await archive.run_in_thread(partial(_render_page, archive, available, settings))
    headers["Content-Security-Policy"] = page.policy
    return Response(page.body, headers=headers, media_type=HTML.content_type)


def _render_page(
    archive: Archive, exports: list[Export], settings: Settings, connection: sqlite3.Connection
) -> RenderedPage:
    """The record page. Its modules are imported on the first request to speed up startup."""
    from app.pages.record.dataset import Publication  # noqa: PLC0415 - see above
    from app.pages.record.page import render_page  # noqa: PLC0415 - see above

    publication = Publication(settings.public_url, settings.publisher_name, exports)
    return render_page(archive, publication, connection)
