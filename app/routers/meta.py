"""What the API is and what it promises."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from app.archive.archive import COLLECTIONS, Archive
from app.models.base import Model
from app.models.header import License, Outlines
from app.responses.problems import InvalidParameters
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep, NoParameters
from app.routers.openapi_responses import ENTRY_LINK_HEADER, openapi_responses
from app.routers.route import Route

router = APIRouter(tags=["meta"], route_class=Route)

API_VERSION = "1"
STABILITY = (
    "/v1 only grows: new paths, new optional parameters, new fields. A removed or renamed field, "
    "a narrower type or a new required parameter is /v2. A correction to the data changes the "
    "release, not the version. Ids are permanent."
)


class MetaData(Model):
    """The release, the terms, the promise."""

    release: str = Field(description="Release of the data: SHA-256 of its seed file.")
    api_version: str = Field(description="Version of the API, as in its paths.")
    counts: dict[str, int] = Field(description="Number of items in each collection.")
    modified: str = Field(description="Day on which the record was last changed.")
    archive_notice: str = Field(description="What the record is and is not.")
    license: License = Field(description="Terms of the data.")
    outlines: Outlines = Field(description="Where the outlines of the regions come from.")
    stability: str = Field(description="What may change and what may not.")


class SelfLink(Model):
    """Paths from the root of the origin."""

    self: str = Field(description="This answer.")


class Meta(Model):
    """What the API is and what it promises."""

    data: MetaData
    links: SelfLink


class IndexData(Model):
    """What this is."""

    title: str = Field(description="Name of the API.")
    api_version: str = Field(description="Version of the API, as in its paths.")
    release: str = Field(description="Release of the data: SHA-256 of its seed file.")
    archive_notice: str = Field(description="What the record is and is not.")


class Index(Model):
    """Where to go from here."""

    data: IndexData
    links: dict[str, str] = Field(
        description="Path of every collection by its name, and of the other entry points."
    )


@router.get(
    "/v1",
    operation_id="getIndex",
    summary="Find your way",
    description="A link to every collection, the whole record, the documentation and the meta "
    "page.",
    response_model=Index,
    response_description="The index.",
    responses=openapi_responses(InvalidParameters, headers=ENTRY_LINK_HEADER),
    dependencies=[NoParameters],
)
async def get_index(archive: ArchiveDep) -> Response:
    """Links to everything, from the root of the origin."""
    return Response(
        index_body(archive), headers=entry_link_header(archive), media_type="application/json"
    )


@router.get(
    "/v1/meta",
    operation_id="getMeta",
    summary="Get release, license and promises",
    description="Which release of the data is served, under which terms, and what stays stable.",
    response_model=Meta,
    response_description="The meta page.",
    responses=openapi_responses(InvalidParameters),
    dependencies=[NoParameters],
)
async def get_meta(archive: ArchiveDep) -> Response:
    """Release, counts, terms and promises."""
    return Response(meta_body(archive), media_type="application/json")


def meta_body(archive: Archive) -> bytes:
    """The meta page as JSON."""
    data = {
        "release": archive.release,
        "api_version": API_VERSION,
        "counts": archive.counts,
        **archive.header,
        "stability": STABILITY,
    }
    return encode_json({"data": data, "links": {"self": "/v1/meta"}})


def entry_link_header(archive: Archive) -> dict[str, str]:
    """The `Link` header of the entry points (RFC 8288; RFC 8631; RFC 9727, 3)."""
    terms = quote(archive.header["license"]["url"], safe="%/:=&?~#+!$,;'@()*[]")
    links = (
        '</openapi.json>; rel="service-desc"; type="application/json"',
        '</docs>; rel="service-doc"; type="text/html"',
        '</.well-known/api-catalog>; rel="api-catalog"',
        f'<{terms}>; rel="license"',
    )
    return {"Link": ", ".join(links)}


def index_body(archive: Archive) -> bytes:
    """The index as JSON."""
    data = {
        "title": "Child Protection Compact record",
        "api_version": API_VERSION,
        "release": archive.release,
        "archive_notice": archive.header["archive_notice"],
    }
    links = {
        "self": "/v1",
        **{name: f"/v1/{name}" for name in COLLECTIONS},
        "search": "/v1/search",
        "record": "/v1/record",
        "exports": "/v1/exports",
        "meta": "/v1/meta",
        "docs": "/docs",
        "openapi": "/openapi.json",
    }
    return encode_json({"data": data, "links": links})
