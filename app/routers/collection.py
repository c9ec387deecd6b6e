"""List and get, written once for every collection."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from app.archive.archive import Archive
from app.exports import read_batches, single_batch, stream_collection
from app.models import Document
from app.models.envelope import item_model, page_model
from app.query.parameters import parse_query_string, path_parameter
from app.query.query import Query, collection_parameters, item_parameters
from app.query.selection import (
    count_facets,
    decode_cursor,
    find_document,
    find_included,
    find_page,
)
from app.responses.formats import CSV, JSON, NDJSON, Format, negotiate_format
from app.responses.problems import InvalidParameters, NotAcceptable, NotFound
from app.responses.representations import item_body, page_body, page_links
from app.routers.dependencies import accept_header, current_archive, next_link_header, query_pairs
from app.routers.openapi_responses import NEXT_LINK_HEADER, openapi_responses
from app.routers.route import Route

_LARGE = 20_000
"""Rows of a collection from which on counting some of them is too long for the event loop."""


def collection_router(
    model: type[Document],
    *,
    list_description: str,
    item_description: str,
    formats: Sequence[Format] = (JSON, CSV, NDJSON),
) -> APIRouter:
    """Routes that list a collection and get one item of it.

    Args:
        model: What the collection is of.
        list_description: What a list gives and is good for, in Markdown.
        item_description: The same of one item.
        formats: The formats a list can be had in.
    """
    router = APIRouter(prefix=f"/v1/{model.collection}", tags=[model.collection], route_class=Route)
    _add_list(router, model, list_description, formats)
    _add_item(router, model, item_description)
    return router


def _add_list(
    router: APIRouter, model: type[Document], description: str, formats: Sequence[Format]
) -> None:
    taken = collection_parameters(model.collection)

    @router.get(
        "",
        operation_id=f"list{model.collection.capitalize()}",
        summary=f"List {model.collection}",
        description=description,
        response_model=partial(page_model, model),
        response_description=f"A page of {model.collection}.",
        responses=openapi_responses(
            InvalidParameters, NotAcceptable, headers=NEXT_LINK_HEADER, formats=formats
        ),
        openapi_extra={"parameters": [one.openapi() for one in taken.values()]},
    )
    async def list_items(request: Request) -> Response:
        archive = current_archive(request)
        query = Query.from_parameters(
            model.collection, parse_query_string(request.scope["query_string"], taken)
        )
        chosen = _format(request, query, formats)
        if chosen != JSON:
            return await _stream(request, archive, query, chosen)
        links, body = await _page(request, archive, query)
        return Response(body, headers=next_link_header(links), media_type=JSON.content_type)


def _add_item(router: APIRouter, model: type[Document], description: str) -> None:
    taken = item_parameters(model.collection)
    article = "an" if model.type[0] in "aeiou" else "a"
    described = [path_parameter("id", f"Id of the {model.type}.")]
    described += [one.openapi() for one in taken.values()]

    @router.get(
        "/{id}",
        operation_id=f"get{model.type.capitalize()}",
        summary=f"Get {article} {model.type}",
        description=description,
        response_model=partial(item_model, model),
        response_description=f"The {model.type}.",
        responses=openapi_responses(NotFound, InvalidParameters),
        openapi_extra={"parameters": described},
    )
    async def get_item(request: Request) -> Response:
        archive, name = current_archive(request), request.path_params["id"]
        include = parse_query_string(request.scope["query_string"], taken).get("include")
        document = find_document(archive, model.collection, name)
        if document is None:
            raise _nowhere(archive, model, name)
        included = None
        if include:
            included = find_included(model.collection, [name], include, archive.connection)
        return Response(item_body(document, included), media_type=JSON.content_type)


def _nowhere(archive: Archive, model: type[Document], name: str) -> NotFound:
    """That no item has this id, and which has it in small letters."""
    slug = name.lower()
    known = slug != name and find_document(archive, model.collection, slug) is not None
    hint = f" Did you mean {slug}?" if known else ""
    return NotFound(f"No {model.type} has this id.{hint} /v1/{model.collection} lists them all.")


def _format(request: Request, query: Query, formats: Sequence[Format]) -> Format:
    """The format to answer in.

    Raises:
        NotAcceptable: The client accepts none of those on offer.
        InvalidParameters: Something was asked for that the format has no place for.
    """
    if query.format is not None:
        chosen = next(one for one in formats if one.name == query.format)
    else:
        wanted = negotiate_format(accept_header(request), formats)
        if wanted is None:
            offered = ", ".join(one.media_type for one in formats)
            raise NotAcceptable(f"This path gives {offered}; Accept allows none of them.")
        chosen = wanted
    if chosen != JSON:
        query.reject_json_only_parameters(chosen.name)
    return chosen


async def _page(
    request: Request, archive: Archive, query: Query
) -> tuple[Mapping[str, str | None], bytes]:
    """Links and body of a page; found on another thread where that may take long."""

    def select(connection: sqlite3.Connection) -> tuple[Mapping[str, str | None], bytes]:
        page = find_page(archive, query, connection)
        links = page_links(request.scope["path"], query_pairs(request), page.cursor)
        included: dict[str, Any] | None = None
        if query.include:
            included = find_included(query.collection, page.ids, query.include, connection)
        facets = count_facets(archive, query, connection) if query.facet else None
        meta = {"total": page.total, "limit": query.page_size, "release": archive.release}
        return links, page_body(page.documents, meta, links, included, facets)

    large = archive.counts[query.collection] > _LARGE
    if query.facet or query.include or "q" in query.conditions or (large and query.conditions):
        return await archive.run(select)
    return select(archive.connection)


async def _stream(request: Request, archive: Archive, query: Query, chosen: Format) -> Response:
    """A whole collection, or the page that was asked for, in pieces."""
    if query.limit is None:
        after = decode_cursor(archive, query, archive.connection)
        rows, headers = read_batches(archive, query, after), None
    else:
        page = await archive.run(partial(find_page, archive, query))
        links = page_links(request.scope["path"], query_pairs(request), page.cursor)
        rows, headers = single_batch(page), next_link_header(links)
    pieces = stream_collection(archive, query.collection, rows, chosen)
    return StreamingResponse(pieces, headers=headers, media_type=chosen.content_type)
