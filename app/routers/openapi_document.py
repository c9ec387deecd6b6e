"""Builds the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.archive.archive import Archive
from app.pages.record.words import shorten
from app.query.examples import example_resource, first_ids
from app.query.query import DEFAULT_LIMIT
from app.responses.problems import ProblemDocument
from app.routers.openapi_examples import add_examples
from app.routers.route import Route

_DESCRIPTION = """
{notice}

This read-only API has a source for every value except ids, the order of siblings, links, references
to a parent, and the size and digest of the archived pages.

**Getting started.** Try `GET {path}`. There are no API keys or accounts, and CORS allows any
origin.

**Missing values.** If the page does not give a value, the field is `null` and is listed in
`not_stated`. A `null` that is not listed there means that the field does not apply.

**Sources.** `GET {citations_path}` returns the evidence for each
field: the quotation and its position in the archived text, or the publication that an `enriched`
value is from.

**Filtering and sorting.** Repeat a filter for OR{repeated_filter}; different filters
combine with AND. `sort` takes one field; prefix it with `-` to sort in descending order. `null`
sorts last.

**Pagination.** `limit` sets the page size (default {limit}). Follow `links.next` or the
`Link` header until it is `null` or absent.

**Selecting items and fields.** `id` selects items by their ids, and `not_stated` those for which no
source gives a value. `fields=title&fields=summary` returns only these fields of each item, and
always `id`; the others are then absent, although the schema of the item requires them.

{formats}

**Related resources and counts.** `include=recipient&include=citations` embeds the referenced
resources, each once, in `included`. `facet=region` counts items by value under the same filters;
values that are ids have the name or title of their resource as `label`.
`/v1/search?q=` searches all resource types.

**Errors.** Errors are problem documents (RFC 9457); clients whose `Accept` prefers `text/html` get
the same as a page. A parameter that is unknown, empty, of the wrong type or repeated without being
repeatable returns 422 with the parameter and the allowed values.

**Caching.** Every successful response has a strong `ETag`; send it in `If-None-Match` to get 304 if
nothing changed. All servers return the same bytes for the same release of the data. To compare
releases, use `meta.release` in response bodies: behind caches, the header `X-Data-Release` may be
out of date. HEAD works wherever GET does.

**Stability.** Changes within `/v1` are additive: new paths, optional parameters and fields.
Anything else means `/v2`. Corrections to the data change the release, not the API version.
"""

FORMATS_DESCRIPTION = """
**Formats.** Collections are also available as CSV (`format=csv`) and NDJSON (`format=ndjson`), and
regions as GeoJSON (`format=geojson`); content negotiation with `Accept` works too. Without `limit`,
these formats stream the whole filtered collection. CSV and NDJSON then support single byte ranges
(206), which are those of the response without content coding. In CSV, `null` is an empty cell and
objects in lists are JSON. List members are joined by `|`; a literal `|` or backslash in a member is
escaped with a backslash. Text that a spreadsheet would evaluate as a formula is prefixed with an
apostrophe, which programs should remove. Import codes as text to keep leading zeros. Generators of
clients should read `/openapi-clients.json`, which describes JSON alone.
"""
"""The paragraph of the description about formats other than JSON."""

TAGS = [
    {"name": "partnerships", "description": "Signed Child Protection Compact partnerships."},
    {"name": "objectives", "description": "Objectives of the partnerships."},
    {"name": "awards", "description": "Foreign-assistance awards."},
    {"name": "activities", "description": "Activities funded by the awards."},
    {"name": "regions", "description": "Regions where the activities take place."},
    {"name": "organizations", "description": "Participating organizations."},
    {"name": "sources", "description": "Archived source pages."},
    {"name": "citations", "description": "Sources for every value."},
    {"name": "search", "description": "Full-text search across all resource types."},
    {"name": "record", "description": "The whole record and export files."},
    {"name": "releases", "description": "Releases of the data, and what each of them changed."},
    {"name": "meta", "description": "Index, release, license and stability policy."},
    {"name": "problems", "description": "Error types explained."},
    {"name": "health", "description": "Health checks for operators."},
]

Json = dict[str, Any]

_REFERENCE_PREFIX = "#/components/schemas/"


def build_document(app: FastAPI, archive: Archive, bodies: Mapping[str, bytes]) -> Json:
    """The OpenAPI 3.1 document of the application.

    Args:
        app: Application whose routes are documented.
        archive: Archive that examples are taken from.
        bodies: Example response bodies of endpoints that belong to no collection, by path.
    """
    document: Json = get_openapi(
        title=archive.metadata["title"],
        version=app.version,
        summary=shorten(archive.metadata["description"]),
        description=_description(archive),
        routes=[
            route.with_response_model() if isinstance(route, Route) else route
            for route in app.routes
        ],
        tags=TAGS,
        license_info={"name": "MIT", "identifier": "MIT"},
        servers=[{"url": "/"}],
    )
    document["security"] = []  # nothing needs a key
    _finish_schemas(document)
    add_examples(document, archive, bodies)
    return document


def _description(archive: Archive) -> str:
    """The description, with paths and ids of the served record."""
    resource, regions = example_resource(archive), first_ids(archive, "regions", 2)
    return _DESCRIPTION.strip().format(
        notice=archive.metadata["archive_notice"],
        path=resource.path,
        citations_path=resource.citations_path,
        repeated_filter=f" (`region={'&region='.join(regions)}`)" if len(regions) > 1 else "",
        limit=DEFAULT_LIMIT,
        formats=FORMATS_DESCRIPTION.strip(),
    )


def _finish_schemas(document: Json) -> None:
    """Add the problem schema, adapt those of pydantic and drop those that no endpoint uses."""
    schemas = document["components"]["schemas"]
    problem = ProblemDocument.model_json_schema(ref_template=f"{_REFERENCE_PREFIX}{{model}}")
    schemas.update(problem.pop("$defs"), ProblemDocument=problem)
    for schema in _objects_in(schemas):
        _adapt_schema(schema)
    for operations in document["paths"].values():
        for parameter in operations["get"].get("parameters", ()):
            _name_scalars(parameter["schema"], schemas)
    drop_unused_schemas(document)


def _name_scalars(schema: Json, schemas: Json) -> None:
    """Let the schema of a parameter refer to the scalar type that its values, or items, have."""
    values = schema.get("items", schema)
    notation = _notation(values)
    name = next((name for name, named in schemas.items() if _notation(named) == notation), None)
    if name is not None and "pattern" in notation:
        for key in (*notation, "minLength"):
            values.pop(key, None)
        values["$ref"] = f"{_REFERENCE_PREFIX}{name}"


def _notation(schema: Json) -> Json:
    return {key: schema[key] for key in ("type", "pattern", "maxLength") if key in schema}


def _adapt_schema(schema: Json) -> None:
    """Change a schema of pydantic, or a part of it, into one that clients are generated from.

    - Objects are open: responses may gain fields within `/v1`. Only seed files are strict.
    - `items` says the same as `prefixItems`, as some tools read nothing else.
    - A type or `null` is one schema with two types: of alternatives, some generators make a class.
    - Times have no `pattern` beside `format`: clients turn them into objects.
    - Fields have no `title`, which would only repeat the name, and no `readOnly`, as all are.
    """
    if schema.get("additionalProperties") is False:
        del schema["additionalProperties"]
    if "prefixItems" in schema:
        schema["items"] = {"anyOf": schema["prefixItems"]}
    match schema.get("anyOf"):
        case [{"type": str(type_)} as alternative, {"type": "null"}] if "enum" not in alternative:
            del schema["anyOf"]
            schema.update({**alternative, **schema, "type": [type_, "null"]})
    if schema.get("format") == "date-time":
        schema.pop("pattern", None)
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
        field.pop("readOnly", None)


def _objects_in(value: Any) -> Iterator[Json]:
    """Every object within a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from _objects_in(member)


def drop_unused_schemas(document: Json) -> None:
    """Drop schemas that no endpoint refers to, such as those that occur only in seed files."""
    schemas: Json = document["components"]["schemas"]
    text = json.dumps(document)
    unused = [name for name in schemas if f'"{_REFERENCE_PREFIX}{name}"' not in text]
    for name in unused:
        del schemas[name]
    if unused:  # schemas referenced only by those are unused now
        drop_unused_schemas(document)
