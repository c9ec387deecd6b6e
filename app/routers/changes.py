"""`/v1/changes`: what changed between two releases, value by value."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from app.archive.archive import Archive
from app.exports import read_changes, single_batch, stream_rows
from app.models.base import Model
from app.models.change import Change
from app.models.envelope import Facets, PageLinks, PageMeta
from app.query.changes import (
    FORMATS,
    ChangesQuery,
    change_parameters,
    changes_body,
    count_change_facets,
    find_changes,
    start_key,
)
from app.query.parameters import parse_query_string
from app.responses.formats import JSON, Format
from app.responses.problems import InvalidParameters, NotAcceptable
from app.responses.representations import page_links
from app.routers.dependencies import choose_format, current_archive, query_pairs
from app.routers.links import next_link_header
from app.routers.openapi_responses import NEXT_LINK_HEADER, openapi_responses
from app.routers.route import Route

router = APIRouter(tags=["releases"], route_class=Route)

PATH = "/v1/changes"


class ChangePageMeta(PageMeta):
    """Metadata of a page of changes."""

    since: str = Field(description="Label of the older release.")
    until: str = Field(description="Label of the newer release.")


class ChangePage(Model):
    """One page of changes."""

    data: list[Change] = Field(
        description="Values that differ, sorted by type, resource and field; citations come last."
    )
    meta: ChangePageMeta
    links: PageLinks
    facets: Facets | None = Field(description="Counts requested with `facet`; `null` without it.")


@router.get(
    PATH,
    operation_id="listChanges",
    summary="List changes between two releases",
    description="Every value that differs between the releases `since` and `until` (by default the "
    "latest): one entry for each field of each resource, with the values and the ids of their "
    "citations on both sides. The changes of several releases are summed up: a value that is what "
    "it was is left out. A citation that was added, changed or removed is one entry, with "
    "`field` null and the whole citation as its value; `type` selects or leaves out these.\n\n"
    "Values are compared as canonical JSON (RFC 8785), which `before` and `after` are written in. "
    "Resources are matched by type and id, whatever their order; the order of a list within a "
    "value counts. The entries turn the record of `since` into that of "
    "`until`, see `/v1/releases/{label}/record`: set each field of each resource to `after`, or "
    "delete it if `kind` is `removed`; a resource is removed with its last field. The fields of "
    "`record` are in `meta`.",
    response_model=ChangePage,
    response_description="A page of changes.",
    responses=openapi_responses(
        InvalidParameters, NotAcceptable, headers=NEXT_LINK_HEADER, formats=FORMATS
    ),
    openapi_extra={
        "parameters": [parameter.openapi() for parameter in change_parameters().values()]
    },
)
async def list_changes(request: Request) -> Response:
    """A page of changes, or all of them as CSV or NDJSON."""
    archive = current_archive(request)
    values = parse_query_string(request.scope["query_string"], change_parameters())
    query = ChangesQuery.from_parameters(archive, values)
    format_ = choose_format(request, query.format, FORMATS)
    if format_ == JSON:
        links, body = await archive.run_in_thread(partial(_render_page, archive, request, query))
        return Response(body, headers=next_link_header(links), media_type=JSON.content_type)
    return await _stream(request, archive, query, format_)


def _render_page(
    archive: Archive, request: Request, query: ChangesQuery, connection: sqlite3.Connection
) -> tuple[Mapping[str, str | None], bytes]:
    """Links and body of a page."""
    page = find_changes(archive, query, connection)
    links = page_links(PATH, query_pairs(request), page.cursor)
    facets = count_change_facets(query, connection) if query.facet else None
    return links, changes_body(page, query, archive.release, links, facets)


async def _stream(
    request: Request, archive: Archive, query: ChangesQuery, format_: Format
) -> Response:
    """All changes, or one page if `limit` is given, as CSV or NDJSON."""
    query.reject_facets(format_.name)
    if query.limit is None:
        rows, headers = read_changes(archive, query, start_key(query)), {}
    else:
        page = await archive.run_in_thread(partial(find_changes, archive, query))
        links = page_links(PATH, query_pairs(request), page.cursor)
        rows, headers = single_batch(page), next_link_header(links)
    chunks = stream_rows(Change, rows, format_)
    return StreamingResponse(chunks, headers=headers, media_type=format_.content_type)
