"""The OpenAPI document, with every example taken from the record that is served."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.archive import COLLECTIONS, Archive, link_table
from app.models import Document
from app.parameters import Date, Integer
from app.problems import (
    MEDIA_TYPE,
    InternalError,
    InvalidParameters,
    NotFound,
    ParameterError,
    Problem,
    ProblemDocument,
    Unavailable,
)
from app.query import DEFAULT_LIMIT, Query, find_page, parameters
from app.representations import item_body, page_body, page_links

TITLE = "Child Protection Compact record"
SUMMARY = "The archived record of the United States–Peru Child Protection Compact, as data."
DESCRIPTION = f"""
In 2017 the United States and Peru signed a Child Protection Compact Partnership. What was
published about it survives as one archived web page. This API gives what the page says, and for
every value the words it rests on.

**First request.** `GET /v1/awards/peru-ilo`. No key, no account; any origin may ask.

**Not stated is not zero.** Where the page gives no value the field is `null` and its name stands
in `not_stated`. A `null` that is not listed there does not apply.

**What a value rests on.** `GET /v1/citations?resource_type=award&resource=peru-ilo` gives, field
by field, the quoted fragment and its position in the archived text, or the reference of an
enrichment.

**Lists.** Filters repeat for OR (`region=cusco&region=loreto`) and combine as AND. `sort` takes
one field, `-` before it for descending; `null` comes last. A page has at most `limit` items
({DEFAULT_LIMIT} unless told); follow `links.next`, or the `Link` header, until it is `null`.

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
    {"name": "record", "description": "Everything in one answer."},
    {"name": "meta", "description": "Release, terms and promises."},
    {"name": "problems", "description": "What the `type` of an error resolves to."},
    {"name": "health", "description": "For those who run the service."},
]

Json = dict[str, Any]
Model = type[Document]


def describe(app: FastAPI, archive: Archive) -> Json:
    """The OpenAPI 3.1 document of the application."""
    document: Json = get_openapi(
        title=TITLE,
        version=app.version,
        summary=SUMMARY,
        description=DESCRIPTION.strip(),
        routes=app.routes,
        tags=TAGS,
        license_info={"name": "MIT", "identifier": "MIT"},
        separate_input_output_schemas=False,
    )
    schemas = document["components"]["schemas"]
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), ProblemDocument=problem)
    for model in COLLECTIONS.values():
        _exemplify_collection(document["paths"], model, archive)
    for path, operations in document["paths"].items():
        for status, answer in operations["get"]["responses"].items():
            if MEDIA_TYPE in answer.get("content", {}):
                answer["content"][MEDIA_TYPE]["example"] = _problem_example(path, int(status))
    return document


def _exemplify_collection(paths: Json, model: Model, archive: Archive) -> None:
    path = f"/v1/{model.collection}"
    first = archive.connection.execute(
        f"SELECT id, document FROM {model.collection} ORDER BY rowid LIMIT 1"  # noqa: S608 - a name from COLLECTIONS
    ).fetchone()
    if first is None:
        return
    name, document = first[0].decode(), first[1]
    listed, got = paths[path]["get"], paths[f"{path}/{{id}}"]["get"]
    query = Query.of(model.collection, {"limit": 1})
    page = find_page(archive, query)
    links = page_links(path, [("limit", "1")], page)
    body = page_body(page, query, archive.release, links)
    _content(listed)["example"] = json.loads(body)
    _content(got)["example"] = json.loads(item_body(document))
    got["parameters"][0]["example"] = name
    for parameter in listed["parameters"]:
        example = _parameter_example(model, parameter["name"], archive, page.cursor)
        if example is not None:
            several = parameter["schema"]["type"] == "array"
            parameter["example"] = [example] if several else example


def _content(operation: Json) -> Json:
    content: Json = operation["responses"]["200"]["content"]["application/json"]
    return content


def _parameter_example(model: Model, name: str, archive: Archive, cursor: str | None) -> Any:
    match name:
        case "cursor":
            return cursor
        case "limit":
            return 20
        case "sort":
            return f"-{model.sorts[0].field}"
    field = name.partition("__")[0]
    column, table = field, model.collection
    for one in model.filters:
        if one.parameter == name:
            link = link_table(model, one.field)
            column, table = (name, link) if link else (one.field, table)
    row = archive.connection.execute(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY rowid LIMIT 1"  # noqa: S608 - names from the models
    ).fetchone()
    if row is not None:
        return row[0].decode() if isinstance(row[0], bytes) else row[0]
    kind = parameters(model.collection)[name].kind
    return {Date: "2017", Integer: 1_000_000}.get(type(kind))


def _problem_example(path: str, status: int) -> Json:
    problems: dict[int, Problem] = {
        404: NotFound("No award has this id. /v1/awards lists them all."),
        422: InvalidParameters(
            [
                ParameterError(
                    "regoin",
                    "regoin is not a parameter of this path, which takes region, sort. "
                    "Did you mean region?",
                    ["region", "sort"],
                    "region",
                )
            ]
        ),
        500: InternalError("The fault was logged; it is not the request's."),
        503: Unavailable("The record is not loaded yet."),
    }
    example: Json = json.loads(bytes(problems[status].response(path.replace("{id}", "x")).body))
    return example
