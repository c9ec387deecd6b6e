"""`/v1` and `/v1/meta`: the index, the release, the license and the stability policy."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from app.archive.archive import LISTS, Archive
from app.exports.feed import FEED_PATH
from app.models.base import Model
from app.models.envelope import ReleaseMeta
from app.models.header import License, Outlines
from app.models.release import LABEL_DESCRIPTION, RELEASE_DESCRIPTION
from app.responses.problems import InvalidParameters
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep, NoParameters
from app.routers.links import entry_link_header
from app.routers.openapi_responses import ENTRY_LINK_HEADER, openapi_responses
from app.routers.route import Route
from app.settings import Settings

router = APIRouter(tags=["meta"], route_class=Route)

API_VERSION = "1"
STABILITY = (
    "Changes within /v1 are additive: new paths, optional parameters and fields. Removing or "
    "renaming a field, narrowing a type or requiring a parameter means /v2. Corrections to the "
    "data change the release, not the API version. Ids are permanent."
)


class MetaData(ReleaseMeta):
    """Release, license and stability policy."""

    api_version: str = Field(description="API version, as in the paths.")
    counts: dict[str, int] = Field(description="Number of items in each collection.")
    title: str = Field(description="Name of the record.")
    description: str = Field(description="Subject and content of the record.")
    keywords: list[str] = Field(description="Search terms for data catalogs.")
    modified: str = Field(description="Date of the last change to the record.")
    archive_notice: str = Field(description="Status of the record as an archive.")
    license: License = Field(description="License of the facts.")
    wording_license: License | None = Field(
        description="License of the project's own words: titles, summaries and notes; `null` if "
        "none is stated."
    )
    outlines: Outlines | None = Field(
        description="Source of the region outlines; `null` without outlines."
    )
    stability: str = Field(description="Stability policy: what may change within this API version.")


class SelfLink(Model):
    """Paths, relative to the root of the origin."""

    self: str = Field(description="This resource.")


class Meta(Model):
    """Response of `/v1/meta`."""

    data: MetaData
    links: SelfLink


class IndexData(Model):
    """Name, version and release of the API."""

    title: str = Field(description="Name of the record.")
    api_version: str = Field(description="API version, as in the paths.")
    release: str = Field(description=RELEASE_DESCRIPTION)
    release_label: str = Field(description=LABEL_DESCRIPTION)
    archive_notice: str = Field(description="Status of the record as an archive.")


class Index(Model):
    """Index of the API."""

    data: IndexData
    links: dict[str, str] = Field(
        description="Paths of the collections and other entry points, by name."
    )


@router.get(
    "/v1",
    operation_id="getIndex",
    summary="Get the index",
    description="Links to every collection, search, the whole record, the releases and what they "
    "changed, the exports, the metadata and the documentation.",
    response_model=Index,
    response_description="The index.",
    responses=openapi_responses(InvalidParameters, headers=ENTRY_LINK_HEADER),
    dependencies=[NoParameters],
)
async def get_index(request: Request, archive: ArchiveDep) -> Response:
    """The index, with a `Link` header for clients that do not read the body."""
    settings: Settings = request.app.state.settings
    body = index_body(archive, has_feed=settings.public_url is not None)
    return Response(
        body, headers=entry_link_header(request, archive), media_type="application/json"
    )


@router.get(
    "/v1/meta",
    operation_id="getMeta",
    summary="Get release, license and stability policy",
    description="The release of the data, its license, item counts and the stability policy.",
    response_model=Meta,
    response_description="The metadata.",
    responses=openapi_responses(InvalidParameters),
    dependencies=[NoParameters],
)
async def get_meta(archive: ArchiveDep) -> Response:
    """Release, counts, license and stability policy."""
    return Response(meta_body(archive), media_type="application/json")


def meta_body(archive: Archive) -> bytes:
    """The body of `/v1/meta` as JSON."""
    data = {
        "release": archive.release,
        "release_label": archive.label,
        "release_date": archive.date,
        "release_note": archive.note,
        "api_version": API_VERSION,
        "counts": archive.counts,
        **archive.metadata,
        "stability": STABILITY,
    }
    return encode_json({"data": data, "links": {"self": "/v1/meta"}})


def index_body(archive: Archive, *, has_feed: bool = False) -> bytes:
    """The body of `/v1` as JSON."""
    data = {
        "title": archive.metadata["title"],
        "api_version": API_VERSION,
        "release": archive.release,
        "release_label": archive.label,
        "archive_notice": archive.metadata["archive_notice"],
    }
    links = {
        "self": "/v1",
        **{name: f"/v1/{name}" for name in LISTS},
        "search": "/v1/search",
        "record": "/v1/record",
        "changes": "/v1/changes",
        "history": "/history",
        "cite": "/v1/cite",
        **({"feed": FEED_PATH} if has_feed else {}),
        "exports": "/v1/exports",
        "meta": "/v1/meta",
        "docs": "/docs",
        "openapi": "/openapi.json",
    }
    return encode_json({"data": data, "links": links})
