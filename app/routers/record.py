"""`/v1/record`: the whole record in one response."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from app.exports import stream_record
from app.models import Citation
from app.models.base import Model
from app.models.envelope import ResourceLists
from app.responses.problems import InvalidParameters
from app.routers.dependencies import ArchiveDep, NoParameters
from app.routers.meta import SelfLink
from app.routers.openapi_responses import openapi_responses
from app.routers.route import Route

router = APIRouter(tags=["record"], route_class=Route)


class RecordData(ResourceLists):
    """All resources, one list per collection, in the order of the record."""

    citations: list[Citation]


class RecordMeta(Model):
    """Metadata of the whole record."""

    release: str = Field(description="Release of the data: SHA-256 of its seed file.")
    counts: dict[str, int] = Field(description="Number of items in each list.")


class RecordLinks(SelfLink):
    """Paths, relative to the root of the origin."""


class WholeRecord(Model):
    """Response with the whole record."""

    data: RecordData
    meta: RecordMeta
    links: RecordLinks


@router.get(
    "/v1/record",
    operation_id="getRecord",
    summary="Get the whole record",
    description="All resources and citations in one response, one list per collection.",
    response_model=WholeRecord,
    response_description="The whole record.",
    responses=openapi_responses(InvalidParameters),
    dependencies=[NoParameters],
)
async def get_record(archive: ArchiveDep) -> StreamingResponse:
    """All documents of the archive, streamed."""
    meta = {"release": archive.release, "counts": archive.counts}
    body = stream_record(archive, {"meta": meta, "links": {"self": "/v1/record"}})
    return StreamingResponse(body, media_type="application/json")
