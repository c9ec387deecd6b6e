"""Examples from the served record, for the OpenAPI document and the guide."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.archive.archive import COLLECTIONS, Archive, decoded
from app.models import RESOURCES, Award, Document, Resource
from app.models.filters import Filter
from app.query.parameters import DateType, IntegerType, parse_query_string
from app.query.query import collection_parameters, includable_fields
from app.query.selection import find_document
from app.responses.formats import CSV
from app.responses.problems import InvalidParameters
from app.responses.representations import item_body

Json = dict[str, Any]

MAX_COMPARED_IDS = 100
"""Ids among which the one that is probably meant by an unknown id is looked for."""
_MAX_LOOKED_UP_IDS = 1_000
"""Ids among which those that something refers to are looked for."""
_FALLBACK_WORD = "record"
_FALLBACK_YEAR = "2020"


@dataclass(frozen=True, slots=True)
class ExampleResource:
    """The resource that examples request: the first award, or what the record has instead.

    Attributes:
        path: Its path.
        variable: Variable name in code.
        title_field: Field with its title or name.
        citations_path: Path of its citations.
        response: JSON response of its path; None if the record is empty.
    """

    path: str
    variable: str
    title_field: str
    citations_path: str
    response: Json | None


def example_resource(archive: Archive) -> ExampleResource:
    """The first award, else the first resource of any type, else the index of the API."""
    models: Sequence[type[Resource]] = (Award, *RESOURCES)
    for model in models:
        for resource_id in first_ids(archive, model.collection):
            document = find_document(archive, model.collection, resource_id)
            if document is not None:
                response: Json = json.loads(item_body(document))
                links = response["data"]["links"]
                title_field = "title" if "title" in response["data"] else "name"
                return ExampleResource(
                    links["self"], model.type, title_field, links["citations"], response
                )
    return ExampleResource("/v1", "index", "title", "/v1/citations", None)


def first_ids(archive: Archive, collection: str, limit: int = 1) -> list[str]:
    """Ids of the first items of a collection."""
    rows = archive.connection.execute(
        f"SELECT id FROM {collection} ORDER BY rowid LIMIT {limit:d}"  # noqa: S608 - names from the models
    )
    return [item_id.decode() for (item_id,) in rows]


def referenced_ids(
    archive: Archive, model: type[Document], filter_: Filter, target: str, limit: int
) -> list[str]:
    """Ids that a filter finds something by, among the first ones of the collection `target`."""
    link = model.link_table(filter_.field)
    table, column = (link, filter_.parameter) if link else (model.collection, filter_.field)
    rows = archive.connection.execute(
        f"SELECT id FROM (SELECT id FROM {target} ORDER BY rowid LIMIT {_MAX_LOOKED_UP_IDS:d}) "  # noqa: S608 - names from the models
        f"AS first WHERE EXISTS (SELECT 1 FROM {table} WHERE {column} = first.id) LIMIT {limit:d}"
    )
    return [item_id.decode() for (item_id,) in rows]


def title_word(archive: Archive, collection: str) -> str | None:
    """A word from the first title of a collection, for full-text search; None if it has none."""
    first, last = archive.rowid_ranges[COLLECTIONS[collection].type]
    row = archive.connection.execute(
        "SELECT heading FROM search WHERE rowid BETWEEN ? AND ? LIMIT 1", (first, last)
    ).fetchone()
    words = re.findall(r"\w{4,}", row[0].decode()) if row else []
    return words[0].lower() if words else None


def search_word(archive: Archive) -> str:
    """A word that a search of the whole record finds, if there is any."""
    collections = (Award.collection, *(model.collection for model in RESOURCES))
    words = (title_word(archive, collection) for collection in collections)
    return next(filter(None, words), _FALLBACK_WORD)


def announcement_year(archive: Archive) -> str:
    """The year of the first award that has an announcement date."""
    announced = _first_value(archive, "awards", "announced")
    return _FALLBACK_YEAR if announced is None else str(announced)[:4]


def parameter_example(archive: Archive, model: type[Document], name: str) -> str | int | None:
    """A valid value of a query parameter of a list; None if the record alone gives none."""
    examples: dict[str, str | int | None] = {
        "cursor": None,
        "limit": 20,
        "format": CSV.name,
        "sort": f"-{model.sorts[0].field}",
        "q": title_word(archive, model.collection) if name == "q" else None,
        "include": next(iter(includable_fields(model)), None),
        "facet": next(iter(model.facets()), None),
        "fields": model.document_fields()[1],
    }
    return examples[name] if name in examples else _condition_example(archive, model, name)


def _condition_example(archive: Archive, model: type[Document], name: str) -> str | int | None:
    """The first stored value that a filter or range matches, else any value of its type."""
    column, table = name.partition("__")[0], model.collection
    for filter_ in model.all_filters():
        if filter_.parameter == name:
            link = model.link_table(filter_.field)
            column, table = (name, link) if link else (filter_.field, table)
    value = _first_value(archive, table, column)
    if value is not None:
        return value
    type_ = collection_parameters(model.collection)[name].type
    if type_.allowed:
        return type_.allowed[0]
    fallbacks: dict[type, str | int] = {DateType: _FALLBACK_YEAR, IntegerType: 1_000_000}
    return fallbacks.get(type(type_))


def _first_value(archive: Archive, table: str, column: str) -> str | int | None:
    """The first value in a column; None if it has none."""
    row = archive.connection.execute(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY rowid LIMIT 1"  # noqa: S608 - names from the models
    ).fetchone()
    value: str | int | None = decoded(row[0]) if row else None
    return value


def misspelled_query(archive: Archive) -> str:
    """A query string for awards in which the name of a filter is misspelled."""
    region = next(iter(first_ids(archive, "regions")), "any")
    return f"regoin={region}"


def misspelling_error(archive: Archive) -> InvalidParameters:
    """The error that `misspelled_query` gives."""
    try:
        parse_query_string(misspelled_query(archive).encode(), collection_parameters("awards"))
    except InvalidParameters as error:
        return error
    raise AssertionError("the query string is valid")
