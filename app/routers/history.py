"""`/v1/releases.atom` and `/history`: the releases for feed readers, and for people."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.archive.archive import Archive
from app.exports.feed import FEED_PATH, HISTORY_PATH, releases_feed
from app.responses.formats import ATOM, HTML
from app.responses.problems import InvalidParameters, NotFound
from app.routers.dependencies import ArchiveDep, NoParameters
from app.routers.openapi_responses import openapi_responses
from app.routers.route import Route

if TYPE_CHECKING:
    from app.pages.record.rendering import RenderedPage

router = APIRouter(tags=["releases"], route_class=Route)


@router.get(
    FEED_PATH,
    operation_id="getReleasesFeed",
    summary="Get the feed of releases",
    description="The releases as an Atom feed (RFC 4287), newest first, for feed readers. Drafts "
    "are left out, and an entry never changes. It needs absolute addresses, so there is none if "
    "the server's `PUBLIC_URL` is not set.",
    response_class=Response,
    response_description="The feed.",
    responses=openapi_responses(NotFound, InvalidParameters, formats=[ATOM]),
    dependencies=[NoParameters],
)
async def get_feed(request: Request, archive: ArchiveDep) -> Response:
    """The feed of releases.

    Raises:
        NotFound: `PUBLIC_URL` is not set.
    """
    origin: str | None = request.app.state.settings.public_url
    if origin is None:
        raise NotFound("The feed needs absolute URLs. To enable it, set PUBLIC_URL.")
    feed = await archive.run_in_thread(partial(releases_feed, archive, origin))
    return Response(feed, media_type=ATOM.content_type)


@router.get(HISTORY_PATH, include_in_schema=False)
async def get_history(request: Request, archive: ArchiveDep) -> Response:
    """The page of the history: what each release changed."""
    origin: str | None = request.app.state.settings.public_url
    page = await archive.run_in_thread(partial(_render_history, archive, origin))
    headers = {"Content-Security-Policy": page.policy}
    return Response(page.body, headers=headers, media_type=HTML.content_type)


def _render_history(
    archive: Archive, origin: str | None, connection: sqlite3.Connection
) -> RenderedPage:
    """The page. Its modules are imported on the first request to speed up startup."""
    from app.pages.record.history_page import render_history  # noqa: PLC0415 - see above

    return render_history(archive, origin, connection)
