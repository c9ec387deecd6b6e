"""The guide to the API: what is asked most, with requests that run on the record that is served."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.archive.archive import COLLECTIONS, Archive
from app.models import RESOURCES, Award, Resource
from app.query.parameters import parse_query_string
from app.query.query import collection_parameters, includable_fields
from app.query.selection import find_document
from app.responses.problems import PROBLEMS, InvalidParameters
from app.responses.representations import item_body

DEFAULT_BASE_URL = "http://127.0.0.1:8000"
"""Where `make serve` answers: the base of the examples where no setting says another."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """The one resource that the examples ask for.

    Attributes:
        path: Where it is.
        name: What a program may call it.
        heading: Its field that a person reads first.
        citations: Path of what its values rest on.
        answer: What its path gives, where it is worth showing.
    """

    path: str
    name: str
    heading: str
    citations: str
    answer: Json | None


@dataclass(frozen=True, slots=True)
class CollectionParameters:
    """What one collection can be asked."""

    name: str
    filters: tuple[str, ...]
    ranges: tuple[str, ...]
    sorts: tuple[str, ...]
    facets: tuple[str, ...]
    includes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One path of the reference."""

    id: str
    path: str
    summary: str
    tag: str


def guide_context(archive: Archive, document: Json, public_url: str | None) -> Json:
    """What the guide's template is filled in with.

    Args:
        archive: Where the examples come from.
        document: The OpenAPI document, for the list of paths.
        public_url: Where the API is found from outside, where that is known.
    """
    operations = list(_operations(document["paths"]))
    return {
        "base": public_url or DEFAULT_BASE_URL,
        "is_public": public_url is not None,
        "item": _item(archive),
        "regions": _some_ids(archive, "regions", 2),
        "release": archive.release,
        "askable": [_askable(name) for name in COLLECTIONS],
        "problems": PROBLEMS.values(),
        "refusal": _refusal(),
        "groups": [
            (tag, [one for one in operations if one.tag == tag["name"]]) for tag in document["tags"]
        ],
    }


def _item(archive: Archive) -> Item:
    """The first award, else the first resource of any type, else the index."""
    models: Sequence[type[Resource]] = (Award, *RESOURCES)
    for model in models:
        for name in _some_ids(archive, model.collection, 1):
            document = find_document(archive, model.collection, name)
            if document is not None:
                answer: Json = json.loads(item_body(document))
                links = answer["data"]["links"]
                heading = "title" if "title" in answer["data"] else "name"
                return Item(links["self"], model.type, heading, links["citations"], answer)
    return Item("/v1", "index", "title", "/v1/citations", None)


def _refusal() -> Json | None:
    """What a misspelt filter of the awards is answered with."""
    try:
        parse_query_string(b"regoin=cusco", collection_parameters("awards"))
    except InvalidParameters as problem:
        answer: Json = json.loads(bytes(problem.response("/v1/awards").body))
        return answer
    return None


def _some_ids(archive: Archive, collection: str, number: int) -> list[str]:
    rows = archive.connection.execute(
        f"SELECT id FROM {collection} ORDER BY rowid LIMIT {number}"  # noqa: S608 - names from the models
    )
    return [name.decode() for (name,) in rows]


def _askable(name: str) -> CollectionParameters:
    model = COLLECTIONS[name]
    return CollectionParameters(
        name,
        tuple(one.parameter for one in model.filters),
        tuple(one.field for one in model.ranges),
        tuple(one.field for one in model.sorts),
        model.facets(),
        includable_fields(model),
    )


def _operations(paths: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in paths.items():
        one = item["get"]
        yield Operation(one["operationId"], path, one["summary"], one["tags"][0])
