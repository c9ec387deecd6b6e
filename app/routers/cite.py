"""`/v1/cite`: how to cite the record or one of its resources."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from app.archive.archive import Archive
from app.exports.citing import (
    FILES,
    RENDERERS,
    Work,
    cited_record,
    cited_resource,
)
from app.models import RESOURCES
from app.models.base import Model
from app.models.values import SLUG_PATTERN
from app.query.examples import first_ids
from app.query.parameters import ChoiceType, Parameter, TextType, parse_query_string, path_parameter
from app.query.removals import find_removal
from app.query.selection import find_document
from app.responses.formats import Format
from app.responses.problems import (
    Gone,
    InvalidParameters,
    NotAcceptable,
    NotFound,
    ParameterError,
    closest_match,
)
from app.routers.dependencies import ArchiveDep, NoParameters, choose_format
from app.routers.openapi_responses import format_content, openapi_responses
from app.routers.route import Route
from app.settings import Settings

router = APIRouter(tags=["record"], route_class=Route)

_FORMATS = tuple(RENDERERS)
_COLLECTION_BY_TYPE = {model.type: model.collection for model in RESOURCES}
_MAX_COMPARED_IDS = 1_000
"""Ids among which the one that is probably meant is looked for."""
_FORMAT_NAMES = {
    "bib": "bibtex",
    "biblatex": "bibtex",
    "citeproc": "csl",
    "csl-json": "csl",
    "csljson": "csl",
    "apa": "text",
    "plain": "text",
    "txt": "text",
}
"""Names that citation tools use, and the format that they mean."""


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


def cite_parameters() -> Mapping[str, Parameter]:
    """Query parameters of `/v1/cite`."""
    types = ChoiceType(
        [*_COLLECTION_BY_TYPE], {plural: type_ for type_, plural in _COLLECTION_BY_TYPE.items()}
    )
    slug = TextType("a lowercase id such as first-award", SLUG_PATTERN)
    formats = ChoiceType([format_.name for format_ in _FORMATS], _FORMAT_NAMES)
    parameters = (
        Parameter(
            "type",
            types,
            "Type of the resource to cite; the whole record by default.",
            other_names=("resource_type",),
        ),
        Parameter(
            "resource",
            slug,
            "Id of the resource to cite, together with `type`.",
            other_names=("id",),
        ),
        Parameter("format", formats, "Format of the citation, instead of `Accept`."),
    )
    return {parameter.name: parameter for parameter in parameters}


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
    openapi_extra={"parameters": [parameter.openapi() for parameter in cite_parameters().values()]},
)
async def get_citation(request: Request, archive: ArchiveDep) -> Response:
    """The citation of the record or of one resource, in the negotiated format."""
    values = parse_query_string(request.scope["query_string"], cite_parameters())
    format_ = choose_format(request, values.get("format"), _FORMATS)
    work = _cited_record(request, archive)
    if "type" in values or "resource" in values:
        type_, resource_id = _require_both(archive, values)
        work = cited_resource(work, _find_resource(archive, type_, resource_id), type_)
    return _render(work, format_)


@router.get(
    "/v1/cite/{file}",
    operation_id="getCiteFile",
    summary="Get how to cite the record, as a file",
    description="The citation of the record in one format at an address of its own, for links and "
    "for reference managers that open files.",
    response_class=Response,
    response_description="The citation.",
    responses=openapi_responses(NotFound, InvalidParameters),
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
    return _render(_cited_record(request, archive), format_)


def _cited_record(request: Request, archive: Archive) -> Work:
    settings: Settings = request.app.state.settings
    return cited_record(archive, settings.public_url, settings.publisher_name, archive.connection)


def _render(work: Work, format_: Format) -> Response:
    return Response(RENDERERS[format_](work), media_type=format_.content_type)


def _require_both(archive: Archive, values: Mapping[str, str]) -> tuple[str, str]:
    """Type and id of the resource to cite.

    Raises:
        InvalidParameters: One of them is missing.
    """
    type_, resource_id = values.get("type"), values.get("resource")
    if resource_id is None:
        message = f"resource is required with type: the id of the {type_} to cite."
        raise InvalidParameters([ParameterError("resource", message)])
    if type_ is None:
        found = [
            type_
            for type_, collection in _COLLECTION_BY_TYPE.items()
            if find_document(archive, collection, resource_id) is not None
        ]
        message = "type is required with resource, because ids are unique only within a type."
        advice = f" Did you mean {found[0]}?" if found else ""
        error = ParameterError("type", message + advice, [*_COLLECTION_BY_TYPE], *found[:1])
        raise InvalidParameters([error])
    return type_, resource_id


def _find_resource(archive: Archive, type_: str, resource_id: str) -> Mapping[str, Any]:
    """A resource of the record.

    Raises:
        Gone: A release removed it.
        NotFound: No resource of this type has this id.
    """
    collection = _COLLECTION_BY_TYPE[type_]
    document = find_document(archive, collection, resource_id)
    if document is None:
        if removal := find_removal(archive.connection, type_, resource_id):
            raise removal.problem("resource")
        match = closest_match(resource_id, first_ids(archive, collection, _MAX_COMPARED_IDS))
        advice = f" Did you mean {match}?" if match else ""
        message = f"No {type_} has this id.{advice} See /v1/{collection} for all {collection}."
        raise NotFound(message, [ParameterError("resource", message, None, match)])
    found: Mapping[str, Any] = json.loads(document)
    return found
