"""What `/v1/cite` cites: its query parameters, and the resource that they name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.archive.archive import Archive
from app.models import RESOURCE_BY_TYPE
from app.models.values import SLUG_PATTERN
from app.query.examples import MAX_COMPARED_IDS, first_ids
from app.query.parameters import ChoiceType, Parameter, ParameterValues, TextType
from app.query.removals import find_removal
from app.query.selection import find_document
from app.responses.formats import Format
from app.responses.problems import (
    InvalidParameters,
    NotFound,
    ParameterError,
    closest_match,
    did_you_mean,
)

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


def cite_parameters(formats: Sequence[Format]) -> Mapping[str, Parameter]:
    """Query parameters of `/v1/cite`, by name, with the formats of a citation."""
    plurals = {model.collection: type_ for type_, model in RESOURCE_BY_TYPE.items()}
    parameters = (
        Parameter(
            "type",
            ChoiceType([*RESOURCE_BY_TYPE], plurals),
            "Type of the resource to cite; the whole record by default.",
            other_names=("resource_type",),
        ),
        Parameter(
            "resource",
            TextType("a lowercase id such as first-award", SLUG_PATTERN),
            "Id of the resource to cite, together with `type`.",
            other_names=("id",),
        ),
        Parameter(
            "format",
            ChoiceType([format_.name for format_ in formats], _FORMAT_NAMES),
            "Format of the citation, instead of `Accept`.",
        ),
    )
    return {parameter.name: parameter for parameter in parameters}


def find_cited(archive: Archive, values: ParameterValues) -> tuple[str, Mapping[str, Any]] | None:
    """Type and document of the resource to cite; None for the whole record.

    Raises:
        InvalidParameters: Only one of type and id is given.
        Gone: A release removed the resource.
        NotFound: No resource of this type has this id.
    """
    type_, resource_id = values.get("type"), values.get("resource")
    if resource_id is None:
        if type_ is None:
            return None
        message = f"resource is required with type: the id of the {type_} to cite."
        raise InvalidParameters([ParameterError("resource", message)])
    if type_ is None:
        raise _missing_type(archive, resource_id)
    return type_, _find_resource(archive, type_, resource_id)


def _missing_type(archive: Archive, resource_id: str) -> InvalidParameters:
    """The error for an id without a type, which suggests the first type that has it."""
    types = (
        type_
        for type_, model in RESOURCE_BY_TYPE.items()
        if find_document(archive, model.collection, resource_id) is not None
    )
    match = next(types, None)
    message = "type is required with resource, because ids are unique only within a type."
    error = ParameterError("type", message + did_you_mean(match), [*RESOURCE_BY_TYPE], match)
    return InvalidParameters([error])


def _find_resource(archive: Archive, type_: str, resource_id: str) -> Mapping[str, Any]:
    collection = RESOURCE_BY_TYPE[type_].collection
    document = find_document(archive, collection, resource_id)
    if document is None:
        if removal := find_removal(archive.connection, type_, resource_id):
            raise removal.problem("resource")
        match = closest_match(resource_id, first_ids(archive, collection, MAX_COMPARED_IDS))
        hint = did_you_mean(match)
        message = f"No {type_} has this id.{hint} See /v1/{collection} for all {collection}."
        raise NotFound(message, [ParameterError("resource", message, None, match)])
    found: Mapping[str, Any] = json.loads(document)
    return found
