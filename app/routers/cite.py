"""`/v1/cite`: how to cite the record or one of its resources."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from app.archive.archive import Archive
from app.exports.citing import FILES, RENDERERS, Work, cited_record, cited_resource
from app.models.base import Model
from app.query.cited import cite_parameters, find_cited
from app.query.parameters import parse_query_string, path_parameter
from app.responses.formats import Format
from app.responses.problems import Gone, InvalidParameters, NotAcceptable, NotFound
from app.routers.dependencies import ArchiveDep, NoParameters, choose_format
from app.routers.links import description_link_header
from app.routers.openapi_responses import (
    DESCRIPTION_LINK_HEADER,
    format_content,
    openapi_responses,
)
from app.routers.route import Route
from app.settings import Settings

router = APIRouter(tags=["record"], route_class=Route)

_FORMATS = tuple(RENDERERS)
_PARAMETERS = cite_parameters(_FORMATS)


class CslName(Model):
    """An institution."""

    literal: str = Field(description="Name, which is not to be split.")


class CslDate(Model, populate_by_name=True):
    """A date in CSL-JSON."""

    date_parts: list[list[int]] = Field(
        alias="date-parts", description="Year, month and day of one date."
    )


class CslItem(Model):
    """A cited work in CSL-JSON, the input of citation processors."""

    id: str = Field(description="Identifier for use in manuscripts.")
    type: Literal["dataset"]
    title: str = Field(description="Title of the record, or of the resource and the record.")
    author: list[CslName] = Field(description="The institution that made the record.")
    issued: CslDate = Field(description="Day of the release.")
    version: str = Field(description="Label of the release.")
    publisher: str | None = Field(None, description="Absent if it is not known.")
    URL: str = Field(
        description="Permanent address of the release: a path if the public URL is not set."
    )
    note: str | None = Field(None, description="The archived pages that the record is based on.")
    language: str = Field(description="Language code.")


@router.get(
    "/v1/cite",
    operation_id="getCite",
    summary="Get how to cite the record or a resource",
    description="A citation of the whole record or of one resource (`type` and `resource`) in the "
    "present release, as CSL-JSON, BibTeX, RIS or a line of text. It names the label of the "
    "release and its permanent address, so it stays right after a correction. The BibTeX has two "
    "entries for the same work: `@dataset` for BibLaTeX, and `@misc` for older readers.",
    response_model=list[CslItem],
    response_description="The citation; in CSL-JSON, a list of one item.",
    responses=openapi_responses(NotFound, Gone, InvalidParameters, NotAcceptable, formats=_FORMATS),
    openapi_extra={"parameters": [parameter.openapi() for parameter in _PARAMETERS.values()]},
)
async def get_citation(request: Request, archive: ArchiveDep) -> Response:
    """The citation of the record or of one resource, in the negotiated format."""
    values = parse_query_string(request.scope["query_string"], _PARAMETERS)
    format_ = choose_format(request, values.get("format"), _FORMATS)
    work = _cited_record(request, archive)
    if cited := find_cited(archive, values):
        type_, document = cited
        work = cited_resource(work, document, type_)
    return _render(work, format_)


@router.get(
    "/v1/cite/{file}",
    operation_id="getCiteFile",
    summary="Get how to cite the record, as a file",
    description="The citation of the record in one format at an address of its own, for links and "
    "for reference managers that open files.",
    response_class=Response,
    response_description="The citation.",
    responses=openapi_responses(NotFound, InvalidParameters, headers=DESCRIPTION_LINK_HEADER),
    openapi_extra={
        "parameters": [path_parameter("file", "Name of the file.", [*FILES])],
        "responses": {"200": {"content": format_content(FILES.values())}},
    },
    dependencies=[NoParameters],
)
async def get_citation_file(request: Request, archive: ArchiveDep) -> Response:
    """The citation of the record in the format of a file.

    Raises:
        NotFound: No file has this name.
    """
    format_ = FILES.get(request.path_params["file"])
    if format_ is None:
        raise NotFound(f"No such file. The files are {', '.join(FILES)}; see /v1/cite.")
    response = _render(_cited_record(request, archive), format_)
    response.headers.update(description_link_header(archive))
    return response


def _cited_record(request: Request, archive: Archive) -> Work:
    settings: Settings = request.app.state.settings
    return cited_record(archive, settings.public_url, settings.publisher_name, archive.connection)


def _render(work: Work, format_: Format) -> Response:
    return Response(RENDERERS[format_](work), media_type=format_.content_type)
