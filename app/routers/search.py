"""Full-text search over every type."""

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
from app.responses.representations import page_links, search_body
from app.routers.dependencies import current_archive, next_link_header, query_pairs
from app.routers.meta import SelfLink
from app.routers.openapi_responses import NEXT_LINK_HEADER, openapi_responses
from app.routers.route import Route

router = APIRouter(tags=["search"], route_class=Route)


class Mark(Model):
    """Where a match stands in a snippet, in Unicode code points."""

    start: int = Field(ge=0, description="Index of its first code point.")
    end: int = Field(ge=0, description="Index after its last code point.")


class Snippet(Model):
    """A stretch of text around the matches."""

    text: str = Field(description="Plain text, not markup; `…` where text was left out.")
    marks: list[Mark] = Field(description="The matches in it.")


class Hit(Model):
    """A resource that matches."""

    type: ResourceType = Field(description="Its type.")
    id: str = Field(description="Its id.")
    title: str = Field(description="Its title or name.")
    snippet: Snippet
    links: SelfLink


class HitPage(Model):
    """One page of matches, the best first."""

    data: list[Hit] = Field(description="The matches, the best first.")
    meta: PageMeta
    links: PageLinks


@router.get(
    "/v1/search",
    operation_id="search",
    summary="Search everything",
    description="Every resource whose text has all the words, the best match first (BM25; a word "
    "in the title counts ten times; words that thousands of resources have only tell titles from "
    "text). Citations are not searched. The snippet is plain text; "
    "`marks` says where the matches stand in it.",
    response_model=HitPage,
    response_description="A page of matches.",
    responses=openapi_responses(InvalidParameters, headers=NEXT_LINK_HEADER),
    openapi_extra={"parameters": [one.openapi() for one in search_parameters().values()]},
)
async def search(request: Request) -> Response:
    """One page of matches."""
    archive = current_archive(request)
    values = parse_query_string(request.scope["query_string"], search_parameters())

    def select(connection: sqlite3.Connection) -> tuple[Mapping[str, str | None], bytes]:
        found = find_matches(archive, values, connection)
        links = page_links("/v1/search", query_pairs(request), found.cursor)
        limit = values.get("limit", DEFAULT_LIMIT)
        meta = {"total": found.total, "limit": limit, "release": archive.release}
        return links, search_body(found.hits, meta, links)

    links, body = await archive.run(select)
    return Response(body, headers=next_link_header(links), media_type="application/json")
