"""`/v1/releases`: every state of the data that was published, and the whole record of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from app.archive.archive import Archive
from app.exports import stream_record
from app.models.envelope import item_model
from app.models.release import DRAFT, LATEST, Release
from app.query.parameters import parse_query_string, path_parameter
from app.query.query import item_parameters, selected_fields
from app.query.selection import find_document
from app.responses.formats import JSON
from app.responses.problems import InvalidParameters, NotFound, closest_match, did_you_mean
from app.responses.representations import item_body, select_fields
from app.routers.collection import add_list
from app.routers.dependencies import ArchiveDep, NoParameters
from app.routers.openapi_responses import openapi_responses
from app.routers.record import WholeRecord, download_name
from app.routers.route import Route

router = APIRouter(prefix="/v1/releases", tags=["releases"], route_class=Route)

_IMMUTABLE = "public, max-age=31536000, immutable"
"""`Cache-Control` of what never changes (RFC 8246): a year is as long as caches keep anything."""
_LABEL_PARAMETER = path_parameter(
    "label", "Label of the release, its digest, or `latest` for the present one.", [LATEST]
)
_ITEM_PARAMETERS = item_parameters(Release.collection)

add_list(
    router,
    Release,
    "Every release of the data, the newest first. A release is a state of the record that was "
    "published; it is never changed. If the data was changed since the last release, the first "
    "entry is a draft.",
)


@router.get(
    "/{label}",
    operation_id="getRelease",
    summary="Get a release",
    description="One release: date, digest, reason and counts. `latest` is the present one; its "
    "links name it by its label.",
    response_model=partial(item_model, Release),
    response_description="The release.",
    responses=openapi_responses(NotFound, InvalidParameters),
    openapi_extra={
        "parameters": [
            _LABEL_PARAMETER,
            *(parameter.openapi() for parameter in _ITEM_PARAMETERS.values()),
        ]
    },
)
async def get_release(request: Request, archive: ArchiveDep) -> Response:
    """One release.

    Raises:
        NotFound: There is no such release.
    """
    values = parse_query_string(request.scope["query_string"], _ITEM_PARAMETERS)
    label = _find_label(archive, request.path_params["label"])
    document = find_document(archive, Release.collection, label)
    assert document is not None  # noqa: S101 - the archive lists the labels of its releases
    body = item_body(select_fields(document, selected_fields(values)))
    return Response(body, media_type=JSON.content_type)


@router.get(
    "/{label}/record",
    operation_id="getReleaseRecord",
    summary="Get the whole record of a release",
    description="All resources and citations as they were in a release, like `/v1/record`. The "
    "response never changes and may be cached for ever, except for `latest` and `draft`.",
    response_model=WholeRecord,
    response_description="The whole record of the release.",
    responses=openapi_responses(NotFound, InvalidParameters),
    openapi_extra={"parameters": [_LABEL_PARAMETER]},
    dependencies=[NoParameters],
)
async def get_release_record(request: Request, archive: ArchiveDep) -> StreamingResponse:
    """All documents of a release, streamed.

    Raises:
        NotFound: There is no such release.
    """
    name = request.path_params["label"]
    label = _find_label(archive, name)
    body = stream_record(archive, label, f"/v1/releases/{label}/record")
    return StreamingResponse(
        body, headers=_headers(archive, name, label), media_type="application/json"
    )


def _headers(archive: Archive, name: str, label: str) -> Mapping[str, str]:
    """Headers of a release's record: its own digest and file name, and that it never changes."""
    headers = {"X-Data-Release": archive.releases[label], **download_name(label)}
    return headers if name in (LATEST, DRAFT) else {**headers, "Cache-Control": _IMMUTABLE}


def _find_label(archive: Archive, name: str) -> str:
    """The label of a release.

    Args:
        archive: The archive.
        name: Its label, its digest, or `latest`.

    Raises:
        NotFound: There is no such release.
    """
    label = archive.find_release(name)
    if label is None:
        match = closest_match(name, [*archive.releases, LATEST])
        hint = did_you_mean(match)
        raise NotFound(
            f"No release has this label or digest.{hint} See /v1/releases for all.",
            suggestion=match and f"/v1/releases/{match}",
        )
    return label
