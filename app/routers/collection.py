"""The list and item endpoints, shared by all collections."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Scope

from app.archive.archive import LISTS, Archive
from app.exports import read_batches, single_batch, stream_collection
from app.exports.collection_reader import CollectionReader
from app.models import Document
from app.models.envelope import item_model, page_model
from app.query.examples import MAX_COMPARED_IDS, first_ids
from app.query.parameters import parse_query_string, path_parameter, split_query_string
from app.query.query import Query, collection_parameters, item_parameters, selected_fields
from app.query.removals import find_removal
from app.query.selection import (
    count_facets,
    find_document,
    find_included,
    find_page,
    start_position,
)
from app.responses.conditional_requests import selection_headers
from app.responses.formats import CSV, GEOJSON, JSON, NDJSON, Format, negotiate_format
from app.responses.problems import (
    Gone,
    InvalidParameters,
    NotAcceptable,
    NotFound,
    Problem,
    RangeNotSatisfiable,
    closest_match,
    did_you_mean,
)
from app.responses.representations import item_body, page_body, page_links, select_fields
from app.routers.dependencies import choose_format, current_archive, query_pairs
from app.routers.links import item_link_header, next_link_header
from app.routers.openapi_responses import CONTENT_LINK_HEADER, NEXT_LINK_HEADER, openapi_responses
from app.routers.route import Route

_RANGED_FORMATS = (CSV, NDJSON)
_RANGES = {"Accept-Ranges": "bytes"}
_MAX_ROWS_ON_EVENT_LOOP = 20_000
"""Filtered counts over more rows than this would block the event loop; a thread runs them."""


def collection_router(
    model: type[Document],
    *,
    list_description: str,
    item_description: str,
    formats: Sequence[Format] = (JSON, CSV, NDJSON),
) -> APIRouter:
    """Router with the list and item endpoints of one collection.

    Args:
        model: Document class of the items.
        list_description: OpenAPI description of the list endpoint, in Markdown.
        item_description: OpenAPI description of the item endpoint, in Markdown.
        formats: Response formats of the list endpoint.
    """
    router = APIRouter(prefix=f"/v1/{model.collection}", tags=[model.collection], route_class=Route)
    add_list(router, model, list_description, formats)
    _add_item(router, model, item_description)
    return router


def add_list(
    router: APIRouter,
    model: type[Document],
    description: str,
    formats: Sequence[Format] = (JSON, CSV, NDJSON),
) -> None:
    """Add the endpoint that lists the items of a model, which has a table, to a router."""
    parameters = collection_parameters(model.collection)

    @router.get(
        "",
        operation_id=f"list{model.collection.capitalize()}",
        summary=f"List {model.collection}",
        description=description,
        response_model=partial(page_model, model),
        response_description=f"A page of {model.collection}.",
        responses=openapi_responses(
            InvalidParameters,
            NotAcceptable,
            RangeNotSatisfiable,
            headers=NEXT_LINK_HEADER,
            formats=formats,
        ),
        openapi_extra={"parameters": [parameter.openapi() for parameter in parameters.values()]},
    )
    async def list_items(request: Request) -> Response:
        archive = current_archive(request)
        query = Query.from_parameters(
            model.collection, parse_query_string(request.scope["query_string"], parameters)
        )
        response_format = _choose_format(request, query, formats)
        if response_format != JSON:
            return await _stream_response(request, archive, query, response_format)
        links, body = await _render_page(request, archive, query)
        return Response(body, headers=next_link_header(links), media_type=JSON.content_type)


def _add_item(router: APIRouter, model: type[Document], description: str) -> None:
    parameters = item_parameters(model.collection)
    article = "an" if model.type[0] in "aeiou" else "a"
    declared = [path_parameter("id", f"Id of the {model.type}.")]
    declared += [parameter.openapi() for parameter in parameters.values()]

    @router.get(
        "/{id}",
        operation_id=f"get{model.type.capitalize()}",
        summary=f"Get {article} {model.type}",
        description=description,
        response_model=partial(item_model, model),
        response_description=f"The {model.type}.",
        responses=openapi_responses(NotFound, Gone, InvalidParameters, headers=CONTENT_LINK_HEADER),
        openapi_extra={"parameters": declared},
    )
    async def get_item(request: Request) -> Response:
        archive, item_id = current_archive(request), request.path_params["id"]
        values = parse_query_string(request.scope["query_string"], parameters)
        document = find_document(archive, model.collection, item_id)
        if document is None:
            raise _item_missing(archive, model, item_id)
        included = None
        if include := values.get("include"):
            included = find_included(model.collection, [item_id], include, archive.connection)
        body = item_body(select_fields(document, selected_fields(values)), included)
        headers = item_link_header(request, archive, model.collection)
        return Response(body, headers=headers, media_type=JSON.content_type)


def _item_missing(archive: Archive, model: type[Document], item_id: str) -> Problem:
    """A 410 for an item that was removed, or a 404 that suggests a similar id."""
    removal = find_removal(archive.connection, model.type, item_id)
    if removal is not None:
        return removal.problem()
    match = _similar_id(archive, model.collection, item_id)
    path = f"/v1/{model.collection}"
    return NotFound(
        f"No {model.type} has this id.{did_you_mean(match)} See {path} for all {model.collection}.",
        suggestion=match and f"{path}/{match}",
    )


def _similar_id(archive: Archive, collection: str, item_id: str) -> str | None:
    """The id in lower case, if it exists, or the most similar one of the first ids."""
    slug = item_id.lower()
    if slug != item_id and find_document(archive, collection, slug) is not None:
        return slug
    return closest_match(item_id, first_ids(archive, collection, MAX_COMPARED_IDS))


def _choose_format(request: Request, query: Query, formats: Sequence[Format]) -> Format:
    """The response format: the `format` parameter, else the `Accept` header.

    Raises:
        NotAcceptable: The client accepts none of the formats.
        InvalidParameters: A parameter is only valid for JSON and the format is another.
    """
    chosen = choose_format(request, query.format, formats)
    if chosen != JSON:
        query.reject_unsupported_parameters(chosen.name)
    return chosen


async def _render_page(
    request: Request, archive: Archive, query: Query
) -> tuple[Mapping[str, str | None], bytes]:
    """Links and body of a page. Potentially slow queries run in a worker thread."""

    def select(connection: sqlite3.Connection) -> tuple[Mapping[str, str | None], bytes]:
        page = find_page(archive, query, connection)
        links = page_links(request.scope["path"], query_pairs(request), page.cursor)
        included: dict[str, Any] | None = None
        if query.include:
            included = find_included(query.collection, page.ids, query.include, connection)
        facets = count_facets(archive, query, connection) if query.facet else None
        meta = {"total": page.total, "limit": query.page_size, "release": archive.release}
        documents = (select_fields(document, query.fields) for document in page.documents)
        return links, page_body(documents, meta, links, included, facets)

    large = archive.rows[query.collection] > _MAX_ROWS_ON_EVENT_LOOP
    if query.facet or query.include or "q" in query.conditions or (large and query.conditions):
        return await archive.run_in_thread(select)
    return select(archive.connection)


async def _stream_response(
    request: Request, archive: Archive, query: Query, response_format: Format
) -> Response:
    """A streamed response: the whole filtered collection, or one page if `limit` is given."""
    if query.limit is None:
        after = start_position(query, archive.connection)
        rows = read_batches(archive, query, after)
        headers = _RANGES if response_format in _RANGED_FORMATS else {}
    else:
        page = await archive.run_in_thread(partial(find_page, archive, query))
        links = page_links(request.scope["path"], query_pairs(request), page.cursor)
        rows, headers = single_batch(page), next_link_header(links)
    chunks = stream_collection(archive, query, rows, response_format)
    return StreamingResponse(chunks, headers=headers, media_type=response_format.content_type)


def offers_ranges(scope: Scope) -> bool:
    """Whether the response to a request is a whole collection in a format with byte ranges."""
    return _ranged_format(scope) is not None


async def open_reader(scope: Scope) -> CollectionReader:
    """The body of a whole collection, for a request that `offers_ranges`."""
    collection, query_string = _collection_of(scope), scope["query_string"]
    parameters = collection_parameters(collection)
    query = Query.from_parameters(collection, parse_query_string(query_string, parameters))
    archive: Archive = scope["app"].state.archive
    return await CollectionReader.create(archive, query, _ranged_format(scope) or CSV)


def _collection_of(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix("/v1/")


def _ranged_format(scope: Scope) -> Format | None:
    """The format of the response, if byte ranges of it can be requested."""
    collection = _collection_of(scope)
    if collection not in LISTS:
        return None
    pairs = dict(split_query_string(scope["query_string"]))
    if b"limit" in pairs:
        return None
    if b"format" in pairs:
        named = (
            format_ for format_ in _RANGED_FORMATS if format_.name.encode() == pairs[b"format"]
        )
        return next(named, None)
    formats = (JSON, CSV, NDJSON, GEOJSON) if collection == "regions" else (JSON, CSV, NDJSON)
    chosen = negotiate_format(selection_headers(scope["headers"])[0], formats)
    return chosen if chosen in _RANGED_FORMATS else None
