"""The OpenAPI document, with every example taken from the record that is served."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.archive.archive import COLLECTIONS, Archive, link_table
from app.models import Document
from app.query.full_text import find_matches
from app.query.parameters import DateType, IntegerType
from app.query.query import DEFAULT_LIMIT, Query, collection_parameters, includable_fields
from app.query.selection import find_page
from app.responses.problems import (
    MEDIA_TYPE,
    BadRequest,
    InternalError,
    InvalidParameters,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    ParameterError,
    Problem,
    ProblemDocument,
    RangeNotSatisfiable,
    Unavailable,
)
from app.responses.representations import (
    csv_header,
    csv_lines,
    item_body,
    ndjson_lines,
    page_body,
    page_links,
    search_body,
)
from app.routers.route import Route

TITLE = "Child Protection Compact record"
SUMMARY = "The archived record of the United States–Peru Child Protection Compact, as data."
DESCRIPTION = f"""
In 2017 the United States and Peru signed a Child Protection Compact Partnership. This API gives
what one archived web page of the U.S. Department of State says of it, and for every value the words
it rests on.

**First request.** `GET /v1/awards/peru-ilo`. No key, no account; any origin may ask.

**Not stated is not zero.** Where the page gives no value the field is `null` and its name stands
in `not_stated`. A `null` that is not listed there does not apply.

**What a value rests on.** `GET /v1/citations?resource_type=award&resource=peru-ilo` gives, field
by field, the quoted fragment and its position in the archived text, or the reference of an
enrichment.

**Lists.** Filters repeat for OR (`region=cusco&region=loreto`) and combine as AND. `sort` takes
one field, `-` before it for descending; `null` comes last. A page has at most `limit` items
({DEFAULT_LIMIT} unless told); follow `links.next`, or the `Link` header, until it is `null`.

**Formats.** `format=csv`, `format=ndjson` and, for regions, `format=geojson`, or the same by
`Accept`, give a whole filtered collection as a stream. In CSV, `null` is an empty cell, members of
a list are joined by `|` (a `|` or a backslash within a member has a backslash before it), objects
within a list are JSON, and text that a spreadsheet would run as a formula has an apostrophe before
it, to be taken away when read by a program. Let a spreadsheet import codes such as `08` as text.

**Related.** `include=recipient&include=citations` adds what a field names, once each, under
`included`; `facet=region` counts the items per value under the same filters. `/v1/search?q=`
searches every type.

**Errors** are problem documents (RFC 9457). A parameter that is unknown, repeated where one value
is meant, empty or mistyped is a 422 that names it and says what is allowed.

**Caching.** Every answer has a strong `ETag`; send it back as `If-None-Match` and an unchanged
answer is a 304. One release of the data gives the same bytes everywhere; `X-Data-Release` names
it. HEAD works wherever GET does.

**Stability.** `/v1` only grows: new paths, new optional parameters, new fields. Anything else is
`/v2`. A correction to the data changes the release, not the version.
"""

TAGS = [
    {"name": "partnerships", "description": "The signed compacts."},
    {"name": "objectives", "description": "What a partnership set out to do."},
    {"name": "awards", "description": "Foreign-assistance awards."},
    {"name": "activities", "description": "What an award pays for."},
    {"name": "regions", "description": "Where the work is done."},
    {"name": "organizations", "description": "Who takes part."},
    {"name": "sources", "description": "The archived pages."},
    {"name": "citations", "description": "What every value rests on."},
    {"name": "search", "description": "Full text over every type."},
    {"name": "record", "description": "Everything in one answer."},
    {"name": "meta", "description": "Release, terms and promises."},
    {"name": "problems", "description": "What the `type` of an error resolves to."},
    {"name": "health", "description": "For those who run the service."},
]

Json = dict[str, Any]


def build_document(app: FastAPI, archive: Archive, bodies: Mapping[str, bytes]) -> Json:
    """The OpenAPI 3.1 document of the application.

    Args:
        app: Whose routes are described.
        archive: Where examples are taken from.
        bodies: Answers of paths that are of no collection, for their examples.
    """
    document: Json = get_openapi(
        title=TITLE,
        version=app.version,
        summary=SUMMARY,
        description=DESCRIPTION.strip(),
        routes=[one.with_response_model() if isinstance(one, Route) else one for one in app.routes],
        tags=TAGS,
        license_info={"name": "MIT", "identifier": "MIT"},
        separate_input_output_schemas=False,
    )
    schemas = document["components"]["schemas"]
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), ProblemDocument=problem)
    _open(schemas)
    _drop_unused(document)
    for model in COLLECTIONS.values():
        _exemplify_collection(document["paths"], model, archive)
    _exemplify_search(document["paths"]["/v1/search"]["get"], archive)
    for path, body in bodies.items():
        content = _content(document["paths"][path]["get"])
        content["application/json"]["example"] = json.loads(body)
    for operations in document["paths"].values():
        for status, answer in operations["get"]["responses"].items():
            if MEDIA_TYPE in answer.get("content", {}):
                answer["content"][MEDIA_TYPE]["example"] = PROBLEM_EXAMPLES[int(status)]
    return document


def _open(schemas: Json) -> None:
    """Answers may gain fields within `/v1`; only the seed file is closed to unknown ones."""
    for schema in schemas.values():
        if schema.get("additionalProperties") is False:
            del schema["additionalProperties"]


def _drop_unused(document: Json) -> None:
    """Leave out what only the seed file holds, such as evidence."""
    schemas: Json = document["components"]["schemas"]
    text = json.dumps(document)
    unused = [name for name in schemas if f'"#/components/schemas/{name}"' not in text]
    for name in unused:
        del schemas[name]
    if unused:  # what they alone referred to is unused now
        _drop_unused(document)


def _exemplify_collection(paths: Json, model: type[Document], archive: Archive) -> None:
    path = f"/v1/{model.collection}"
    query = Query.from_parameters(model.collection, {"limit": 1})
    page = find_page(archive, query, archive.connection)
    if not page.documents:
        return
    listed, got = paths[path]["get"], paths[f"{path}/{{id}}"]["get"]
    links = page_links(path, [("limit", "1")], page.cursor)
    meta = {"total": page.total, "limit": query.page_size, "release": archive.release}
    body = page_body(page.documents, meta, links)
    content = _content(listed)
    content["application/json"]["example"] = json.loads(body)
    content["text/csv"]["example"] = (csv_header(model) + csv_lines(model, page.documents)).decode()
    content["application/x-ndjson"]["example"] = ndjson_lines(page.documents).decode()
    _content(got)["application/json"]["example"] = json.loads(item_body(page.documents[0]))
    got["parameters"][0]["example"] = page.ids[0]
    for operation in (listed, got):
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                continue
            example = _parameter_example(model, parameter["name"], archive, page.cursor)
            if example is not None:
                several = parameter["schema"]["type"] == "array"
                parameter["schema"]["examples"] = [[example] if several else example]


def _exemplify_search(operation: Json, archive: Archive) -> None:
    word = _word(archive, "awards") or "peru"
    values = {"q": word, "limit": 1}
    found = find_matches(archive, values, archive.connection)
    links = page_links("/v1/search", [("q", word), ("limit", "1")], found.cursor)
    meta = {"total": found.total, "limit": 1, "release": archive.release}
    content = _content(operation)["application/json"]
    content["example"] = json.loads(search_body(found.hits, meta, links))
    examples = {"q": word, "type": ["award"], "limit": 20, "cursor": found.cursor}
    for parameter in operation["parameters"]:
        if examples[parameter["name"]] is not None:
            parameter["schema"]["examples"] = [examples[parameter["name"]]]
        if parameter["required"]:
            parameter["example"] = examples[parameter["name"]]


def _content(operation: Json) -> Json:
    content: Json = operation["responses"]["200"]["content"]
    return content


def _parameter_example(
    model: type[Document], name: str, archive: Archive, cursor: str | None
) -> Any:
    """A value of a parameter that works on the record that is served."""
    fixed: dict[str, Any] = {
        "cursor": cursor,
        "limit": 20,
        "format": "csv",
        "sort": f"-{model.sorts[0].field}",
        "q": _word(archive, model.collection) if name == "q" else None,
        "include": next(iter(includable_fields(model)), None),
        "facet": next(iter(model.facets()), None),
    }
    return fixed[name] if name in fixed else _value_of(model, name, archive)


def _value_of(model: type[Document], name: str, archive: Archive) -> Any:
    """The first value that a filter or range finds, or one that it would take."""
    column, table = name.partition("__")[0], model.collection
    for one in model.filters:
        if one.parameter == name:
            link = link_table(model, one.field)
            column, table = (name, link) if link else (one.field, table)
    row = archive.connection.execute(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY rowid LIMIT 1"  # noqa: S608 - names from the models
    ).fetchone()
    if row is not None:
        return row[0].decode() if isinstance(row[0], bytes) else row[0]
    return {DateType: "2017", IntegerType: 1_000_000}.get(
        type(collection_parameters(model.collection)[name].type)
    )


def _word(archive: Archive, collection: str) -> str | None:
    """A word that full-text search finds in a collection."""
    first, last = archive.rowid_ranges[COLLECTIONS[collection].type]
    row = archive.connection.execute(
        "SELECT heading FROM search WHERE rowid BETWEEN ? AND ? LIMIT 1", (first, last)
    ).fetchone()
    words = re.findall(r"\w{4,}", row[0].decode()) if row else []
    return words[0].lower() if words else None


def _problem_example(problem: Problem, path: str) -> Json:
    example: Json = json.loads(bytes(problem.response(path).body))
    return example


_MISSPELT = ParameterError(
    "regoin",
    "regoin is not a parameter of this path, which takes region, sort. Did you mean region?",
    ["region", "sort"],
    "region",
)
_FILE = "/v1/exports/tables.zip"
PROBLEM_EXAMPLES = {
    problem.status: _problem_example(problem, path)
    for problem, path in (
        (BadRequest("The request cannot be read."), "/v1/awards"),
        (NotFound("No award has this id. /v1/awards lists them all."), "/v1/awards/peru"),
        (MethodNotAllowed("POST is not possible here; use GET, HEAD, OPTIONS."), "/v1/awards"),
        (NotAcceptable("This path gives application/json, text/csv."), "/v1/awards"),
        (RangeNotSatisfiable("The file has 16420 bytes; ask for bytes from 0 to 16419."), _FILE),
        (InvalidParameters([_MISSPELT]), "/v1/awards"),
        (InternalError("The fault was logged; it is not the request's."), "/v1/awards"),
        (Unavailable("The record is not loaded yet."), "/v1/awards"),
    )
}
"""A document of each kind of problem, by its status."""
