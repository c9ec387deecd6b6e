"""`/v1/record`: the whole record in one response."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.exports import stream_record
from app.exports.listing import RECORD
from app.models import Citation
from app.models.base import Model
from app.models.envelope import ReleaseMeta, ResourceLists
from app.models.header import License, Outlines
from app.responses.problems import InvalidParameters
from app.routers.dependencies import ArchiveDep, NoParameters
from app.routers.links import download_link_header
from app.routers.meta import SelfLink
from app.routers.openapi_responses import CONTENT_LINK_HEADER, openapi_responses
from app.routers.route import Route

router = APIRouter(tags=["record"], route_class=Route)


class RecordData(ResourceLists):
    """All resources, one list per collection, each sorted by id."""

    citations: list[Citation]


class RecordMeta(ReleaseMeta):
    """Metadata of the whole record."""

    title: str = Field(description="Name of the record.")
    description: str = Field(description="Subject and content of the record.")
    keywords: list[str] = Field(description="Search terms.")
    modified: str = Field(description="Date of the last change to the record.")
    archive_notice: str = Field(description="Status of the record as an archive.")
    license: License = Field(description="License of the facts.")
    wording_license: License | None = Field(
        description="License of the project's own words; `null` if none is stated."
    )
    outlines: Outlines | None = Field(
        description="Source of the region outlines; `null` without outlines."
    )
    counts: dict[str, int] = Field(description="Number of items in each list.")


class RecordLinks(SelfLink):
    """Paths, relative to the root of the origin."""


class WholeRecord(Model):
    """Response with the whole record."""

    data: RecordData
    meta: RecordMeta
    links: RecordLinks


def download_name(label: str) -> dict[str, str]:
    """The header that names the file of a whole record, if it is saved (RFC 6266)."""
    return {"Content-Disposition": f'inline; filename="{RECORD.file_name(label)}"'}


@router.get(
    "/v1/record",
    operation_id="getRecord",
    summary="Get the whole record",
    description="All resources and citations in one response, one list per collection, each "
    "sorted by `id`.",
    response_model=WholeRecord,
    response_description="The whole record.",
    responses=openapi_responses(InvalidParameters, headers=CONTENT_LINK_HEADER),
    dependencies=[NoParameters],
)
async def get_record(request: Request, archive: ArchiveDep) -> StreamingResponse:
    """All documents of the archive, streamed."""
    body = stream_record(archive, archive.label, "/v1/record")
    headers = download_link_header(request, archive) | download_name(archive.label)
    return StreamingResponse(body, headers=headers, media_type="application/json")
