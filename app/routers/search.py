"""`/v1/search`: full-text search across all resource types."""

import sqlite3
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from app.models.base import Model
from app.models.citation import ResourceType
from app.models.envelope import PageLinks, PageMeta
from app.query.full_text import find_matches, search_parameters
from app.query.parameters import parse_query_string
from app.query.query import DEFAULT_LIMIT
from app.responses.problems import InvalidParameters
from app.responses.representations import list_body, page_links
from app.routers.dependencies import current_archive, query_pairs
from app.routers.links import next_link_header
from app.routers.meta import SelfLink
from app.routers.openapi_responses import NEXT_LINK_HEADER, openapi_responses
from app.routers.route import Route

router = APIRouter(tags=["search"], route_class=Route)


class Mark(Model):
    """Position of a match in a snippet, in Unicode code points."""

    start: int = Field(ge=0, description="Index of the first code point.")
    end: int = Field(ge=0, description="Index after the last code point.")


class Snippet(Model):
    """Excerpt of the text around the matches."""

    text: str = Field(description="Plain text, not markup. `…` marks omitted text.")
    marks: list[Mark] = Field(description="Positions of the matches in `text`.")


class Hit(Model):
    """A matching resource."""

    type: ResourceType = Field(description="Type of the resource.")
    id: str = Field(description="Id of the resource.")
    title: str = Field(description="Title or name of the resource.")
    snippet: Snippet
    links: SelfLink


class HitPage(Model):
    """One page of search results."""

    data: list[Hit] = Field(description="Matching resources, best match first.")
    meta: PageMeta
    links: PageLinks


@router.get(
    "/v1/search",
    operation_id="search",
    summary="Search all resources",
    description="Resources whose text contains all words of `q`, best match first. Results are "
    "ranked by BM25, and a word in the title counts ten times. If thousands of resources match, "
    "title matches come first and are not ranked further. Citations are not searched. The snippet "
    "is plain text; `marks` gives the positions of the matches in it. If the record is corrected "
    "between two pages, the second one begins after the last match of the first, wherever that "
    "ranks now; matches whose rank changed may be repeated or left out.",
    response_model=HitPage,
    response_description="A page of search results.",
    responses=openapi_responses(InvalidParameters, headers=NEXT_LINK_HEADER),
    openapi_extra={
        "parameters": [parameter.openapi() for parameter in search_parameters().values()]
    },
)
async def search(request: Request) -> Response:
    """One page of search results."""
    archive = current_archive(request)
    values = parse_query_string(request.scope["query_string"], search_parameters())

    def select(connection: sqlite3.Connection) -> tuple[Mapping[str, str | None], bytes]:
        result = find_matches(archive, values, connection)
        links = page_links("/v1/search", query_pairs(request), result.cursor)
        limit = values.get("limit", DEFAULT_LIMIT)
        meta = {"total": result.total, "limit": limit, "release": archive.release}
        return links, list_body(result.hits, meta, links)

    links, body = await archive.run_in_thread(select)
    return Response(body, headers=next_link_header(links), media_type="application/json")
