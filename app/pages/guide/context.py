"""Template context of the API guide: examples on the served data and lists of parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.archive.archive import COLLECTIONS, Archive
from app.models import RESOURCES, Award, Resource
from app.models.evidence import BASIS_MEANINGS, UNCITED_VALUES
from app.query.parameters import parse_query_string
from app.query.query import collection_parameters, includable_fields
from app.query.selection import find_document
from app.responses.problems import PROBLEMS, InvalidParameters
from app.responses.representations import item_body

DEFAULT_BASE_URL = "http://127.0.0.1:8000"
"""Base URL in the examples when `PUBLIC_URL` is not set: the address of `make serve`."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExampleResource:
    """The resource that the examples request.

    Attributes:
        path: Its path.
        variable: Variable name in the code examples.
        title_field: Field with its title or name.
        citations_path: Path of its citations.
        response: JSON response of its path; None if it is not shown.
    """

    path: str
    variable: str
    title_field: str
    citations_path: str
    response: Json | None


@dataclass(frozen=True, slots=True)
class CollectionParameters:
    """Query parameters and their values that one collection supports."""

    collection: str
    filters: tuple[str, ...]
    ranges: tuple[str, ...]
    sorts: tuple[str, ...]
    facets: tuple[str, ...]
    includes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """A GET operation of the OpenAPI document."""

    id: str
    path: str
    summary: str
    tag: str


def guide_context(archive: Archive, document: Json, public_url: str | None) -> Json:
    """Variables of the guide's template.

    Args:
        archive: Source of the example ids and responses.
        document: The OpenAPI document, for the list of operations.
        public_url: Public base URL of the API, if it is set.
    """
    operations = list(_operations(document["paths"]))
    return {
        "base": public_url or DEFAULT_BASE_URL,
        "is_public": public_url is not None,
        "example": _example_resource(archive),
        "region_ids": _first_ids(archive, "regions", 2),
        "release": archive.release,
        "collections": [_collection_parameters(name) for name in COLLECTIONS],
        "bases": BASIS_MEANINGS,
        "uncited_values": UNCITED_VALUES,
        "problems": PROBLEMS.values(),
        "error_response": _error_response(),
        "operations_by_tag": [
            (tag, [operation for operation in operations if operation.tag == tag["name"]])
            for tag in document["tags"]
        ],
    }


def _example_resource(archive: Archive) -> ExampleResource:
    """The first award, else the first resource of any type, else the index of the API."""
    models: Sequence[type[Resource]] = (Award, *RESOURCES)
    for model in models:
        for resource_id in _first_ids(archive, model.collection, 1):
            document = find_document(archive, model.collection, resource_id)
            if document is not None:
                response: Json = json.loads(item_body(document))
                links = response["data"]["links"]
                title_field = "title" if "title" in response["data"] else "name"
                return ExampleResource(
                    links["self"], model.type, title_field, links["citations"], response
                )
    return ExampleResource("/v1", "index", "title", "/v1/citations", None)


def _error_response() -> Json | None:
    """The problem document for a misspelled filter of the awards."""
    try:
        parse_query_string(b"regoin=cusco", collection_parameters("awards"))
    except InvalidParameters as problem:
        response: Json = json.loads(bytes(problem.response("/v1/awards").body))
        return response
    return None


def _first_ids(archive: Archive, collection: str, limit: int) -> list[str]:
    rows = archive.connection.execute(
        f"SELECT id FROM {collection} ORDER BY rowid LIMIT {limit}"  # noqa: S608 - names from the models
    )
    return [resource_id.decode() for (resource_id,) in rows]


def _collection_parameters(collection: str) -> CollectionParameters:
    model = COLLECTIONS[collection]
    return CollectionParameters(
        collection,
        tuple(filter_.parameter for filter_ in model.filters),
        tuple(range_.field for range_ in model.ranges),
        tuple(sort.field for sort in model.sorts),
        model.facets(),
        includable_fields(model),
    )


def _operations(paths: Mapping[str, Any]) -> Iterator[Operation]:
    for path, path_item in paths.items():
        operation = path_item["get"]
        yield Operation(operation["operationId"], path, operation["summary"], operation["tags"][0])
