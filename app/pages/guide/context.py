"""Template context of the API guide: examples on the served data and lists of parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.archive.archive import COLLECTIONS, Archive
from app.models.evidence import BASIS_MEANINGS, UNCITED_VALUES
from app.pages.guide.rendering import example_file
from app.pages.record.words import shorten
from app.query.examples import (
    announcement_year,
    example_resource,
    first_ids,
    misspelled_query,
    misspelling_error,
    search_word,
)
from app.query.query import includable_fields
from app.responses.problems import PROBLEMS

DEFAULT_BASE_URL = "http://127.0.0.1:8000"
"""Base URL in the examples when `PUBLIC_URL` is not set: the address of `make serve`."""

Json = dict[str, Any]


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
    base_url = public_url or DEFAULT_BASE_URL
    return {
        "base": base_url,
        "is_public": public_url is not None,
        "first_release": next(iter(archive.releases)),
        "description": shorten(archive.metadata["description"]),
        "example": example_resource(archive),
        "region_ids": first_ids(archive, "regions", 2),
        "year": announcement_year(archive),
        "word": search_word(archive),
        "release": archive.release,
        "programs": _programs(base_url),
        "collections": [_collection_parameters(name) for name in COLLECTIONS],
        "bases": BASIS_MEANINGS,
        "uncited_values": UNCITED_VALUES,
        "problems": PROBLEMS.values(),
        "misspelled": misspelled_query(archive),
        "error_response": misspelling_error(archive).document("/v1/awards"),
        "operations_by_tag": [
            (tag, [operation for operation in operations if operation.tag == tag["name"]])
            for tag in document["tags"]
        ],
    }


def _programs(base_url: str) -> Mapping[str, str]:
    """The programs of the guide that are files, by language, with this base URL."""
    return {
        language: example_file(name).decode().replace(DEFAULT_BASE_URL, base_url)
        for language, name in {"python": "keep_a_copy.py", "js": "keep_a_copy.mjs"}.items()
    }


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
