"""Builds the OpenAPI document. All examples are taken from the served record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.archive.archive import LISTS, Archive, link_table
from app.exports.citing import RENDERERS, cited_record
from app.models import Document
from app.models.change import Change
from app.models.release import LATEST
from app.pages.record.words import shorten
from app.query.changes import ChangesQuery, changes_body, find_changes
from app.query.examples import (
    FALLBACK_YEAR,
    example_resource,
    first_ids,
    misspelling_error,
    search_word,
    title_word,
)
from app.query.full_text import find_matches
from app.query.parameters import DateType, IntegerType
from app.query.query import DEFAULT_LIMIT, Query, collection_parameters, includable_fields
from app.query.removals import Removal
from app.query.selection import find_page
from app.responses.formats import BIBTEX, CSL, JSON
from app.responses.problems import (
    MEDIA_TYPE,
    BadRequest,
    InternalError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Problem,
    ProblemDocument,
    RangeNotSatisfiable,
    Unavailable,
)
from app.responses.representations import (
    csv_header,
    csv_lines,
    item_body,
    list_body,
    ndjson_lines,
    page_body,
    page_links,
)
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

**Formats.** Collections are also available as CSV (`format=csv`) and NDJSON (`format=ndjson`), and
regions as GeoJSON (`format=geojson`); content negotiation with `Accept` works too. Without `limit`,
these formats stream the whole filtered collection. CSV and NDJSON then support single byte ranges
(206), which are those of the response without content coding. In CSV, `null` is an empty cell and
objects in lists are JSON. List members are joined by `|`; a literal `|` or backslash in a member is
escaped with a backslash. Text that a spreadsheet would evaluate as a formula is prefixed with an
apostrophe, which programs should remove. Import codes as text to keep leading zeros.

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
    )
    _finish_schemas(document)
    for model in LISTS.values():
        _add_collection_examples(document["paths"], model, archive)
    _add_search_examples(document["paths"]["/v1/search"]["get"], archive)
    _add_changes_examples(document["paths"]["/v1/changes"]["get"], archive)
    _add_cite_examples(document["paths"]["/v1/cite"]["get"], archive)
    for path, body in bodies.items():
        content = _success_content(document["paths"][path]["get"])
        content["application/json"]["example"] = json.loads(body)
    problems = problem_examples(archive)
    for operations in document["paths"].values():
        _add_problem_examples(operations["get"], problems)
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
    )


def _finish_schemas(document: Json) -> None:
    """Add the problem schema, allow additional fields and drop schemas that no endpoint uses."""
    schemas = document["components"]["schemas"]
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), ProblemDocument=problem)
    _allow_additional_properties(schemas)
    _drop_unused(document)


def _allow_additional_properties(schemas: Json) -> None:
    """Open every schema: responses may gain fields within `/v1`. Only seed files are strict."""
    for schema in schemas.values():
        if schema.get("additionalProperties") is False:
            del schema["additionalProperties"]


def _drop_unused(document: Json) -> None:
    """Drop schemas that occur only in seed files, such as evidence."""
    schemas: Json = document["components"]["schemas"]
    text = json.dumps(document)
    unused = [name for name in schemas if f'"#/components/schemas/{name}"' not in text]
    for name in unused:
        del schemas[name]
    if unused:  # schemas referenced only by those are unused now
        _drop_unused(document)


def _add_collection_examples(paths: Json, model: type[Document], archive: Archive) -> None:
    path = f"/v1/{model.collection}"
    query = Query.from_parameters(model.collection, {"limit": 1})
    page = find_page(archive, query, archive.connection)
    if not page.documents:
        return
    item_path = next(name for name in paths if name.startswith(f"{path}/{{"))
    list_operation, item_operation = paths[path]["get"], paths[item_path]["get"]
    links = page_links(path, [("limit", "1")], page.cursor)
    meta = {"total": page.total, "limit": query.page_size, "release": archive.release}
    content = _success_content(list_operation)
    content["application/json"]["example"] = json.loads(page_body(page.documents, meta, links))
    content["text/csv"]["example"] = (csv_header(model) + csv_lines(model, page.documents)).decode()
    content["application/x-ndjson"]["example"] = ndjson_lines(page.documents).decode()
    item = json.loads(item_body(page.documents[0]))
    _success_content(item_operation)["application/json"]["example"] = item
    item_operation["parameters"][0]["example"] = page.ids[0]
    for operation in (list_operation, item_operation):
        _add_parameter_examples(operation, model, archive, page.cursor)


def _add_parameter_examples(
    operation: Json, model: type[Document], archive: Archive, cursor: str | None
) -> None:
    """Add examples to the query parameters of an operation on a collection."""
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            continue
        example = _parameter_example(model, parameter["name"], archive, cursor)
        if example is not None:
            repeatable = parameter["schema"]["type"] == "array"
            parameter["schema"]["examples"] = [[example] if repeatable else example]


def _add_search_examples(operation: Json, archive: Archive) -> None:
    word = search_word(archive)
    values = {"q": word, "limit": 1}
    page = find_matches(archive, values, archive.connection)
    links = page_links("/v1/search", [("q", word), ("limit", "1")], page.cursor)
    meta = {"total": page.total, "limit": 1, "release": archive.release}
    content = _success_content(operation)["application/json"]
    content["example"] = json.loads(list_body(page.hits, meta, links))
    examples = {"q": word, "type": ["award"], "limit": 20, "cursor": page.cursor}
    for parameter in operation["parameters"]:
        if examples[parameter["name"]] is not None:
            parameter["schema"]["examples"] = [examples[parameter["name"]]]
        if parameter["required"]:
            parameter["example"] = examples[parameter["name"]]


def _add_changes_examples(operation: Json, archive: Archive) -> None:
    since = next(iter(archive.releases))
    query = ChangesQuery.from_parameters(archive, {"since": since, "limit": 1})
    page = find_changes(archive, query, archive.connection)
    content = _success_content(operation)
    links = page_links("/v1/changes", [("since", since), ("limit", "1")], page.cursor)
    body = changes_body(page, query, archive.release, links)
    content["application/json"]["example"] = json.loads(body)
    content["text/csv"]["example"] = (
        csv_header(Change) + csv_lines(Change, page.documents)
    ).decode()
    content["application/x-ndjson"]["example"] = ndjson_lines(page.documents).decode()
    examples = {
        "since": since,
        "until": LATEST,
        "type": ["award"],
        "resource": [example_resource(archive).path.rpartition("/")[2]],
        "field": ["title"],
        "kind": ["changed"],
        "facet": ["type"],
        "limit": 20,
        "cursor": page.cursor,
        "format": "csv",
    }
    for parameter in operation["parameters"]:
        if examples[parameter["name"]] is not None:
            parameter["schema"]["examples"] = [examples[parameter["name"]]]
        if parameter["required"]:
            parameter["example"] = examples[parameter["name"]]


def _add_cite_examples(operation: Json, archive: Archive) -> None:
    """Add examples as without `PUBLIC_URL`: the document depends on the record alone."""
    work = cited_record(archive, None, None, archive.connection)
    content = _success_content(operation)
    for format_, render in RENDERERS.items():
        body = render(work).decode()
        content[format_.media_type]["example"] = (
            json.loads(body) if format_ in (CSL, JSON) else body
        )
    resource = example_resource(archive)
    examples = {"format": BIBTEX.name}
    if resource.response:
        examples |= {"type": resource.variable, "resource": resource.response["data"]["id"]}
    for parameter in operation["parameters"]:
        if parameter["name"] in examples:
            parameter["schema"]["examples"] = [examples[parameter["name"]]]


def _add_problem_examples(operation: Json, examples: Mapping[int, Json]) -> None:
    for status, response in operation["responses"].items():
        if MEDIA_TYPE in response.get("content", {}):
            response["content"][MEDIA_TYPE]["example"] = examples[int(status)]


def _success_content(operation: Json) -> Json:
    """The `content` object of an operation's 200 response."""
    content: Json = operation["responses"]["200"]["content"]
    return content


def _parameter_example(
    model: type[Document], name: str, archive: Archive, cursor: str | None
) -> Any:
    """A parameter value that is valid for the served record; None if there is none."""
    examples: dict[str, Any] = {
        "cursor": cursor,
        "limit": 20,
        "format": "csv",
        "sort": f"-{model.sorts[0].field}",
        "q": title_word(archive, model.collection) if name == "q" else None,
        "include": next(iter(includable_fields(model)), None),
        "facet": next(iter(model.facets()), None),
        "fields": model.document_fields()[1],
    }
    return examples[name] if name in examples else _condition_example(model, name, archive)


def _condition_example(model: type[Document], name: str, archive: Archive) -> Any:
    """The first stored value that a filter or range matches, else any value of its type."""
    column, table = name.partition("__")[0], model.collection
    for model_filter in model.all_filters():
        if model_filter.parameter == name:
            link = link_table(model, model_filter.field)
            column, table = (name, link) if link else (model_filter.field, table)
    row = archive.connection.execute(
        f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY rowid LIMIT 1"  # noqa: S608 - names from the models
    ).fetchone()
    if row is not None:
        return row[0].decode() if isinstance(row[0], bytes) else row[0]
    type_ = collection_parameters(model.collection)[name].type
    if type_.allowed:
        return type_.allowed[0]
    return {DateType: FALLBACK_YEAR, IntegerType: 1_000_000}.get(type(type_))


def problem_examples(archive: Archive) -> Mapping[int, Json]:
    """An example problem document for each status code that endpoints declare."""
    file_path = "/v1/exports/tables.zip"
    examples: tuple[tuple[Problem, str], ...] = (
        (BadRequest("An HTTP/1.1 request must have exactly one Host header."), "/v1/awards"),
        (NotFound("No award has this id. See /v1/awards for all awards."), "/v1/awards/unknown"),
        (
            Removal(
                "award",
                "2030-01-31",
                "2029-06-30",
                "It was entered twice.",
                ["/v1/awards/successor"],
            ).problem(),
            "/v1/awards/removed",
        ),
        (MethodNotAllowed("POST is not allowed; use GET, HEAD, OPTIONS."), "/v1/awards"),
        (
            NotAcceptable(
                "Available formats: application/json, text/csv, application/x-ndjson. "
                "Accept allows none of them."
            ),
            "/v1/awards",
        ),
        (
            RangeNotSatisfiable(
                "The full response has 16420 bytes. Valid positions are 0 to 16419."
            ),
            file_path,
        ),
        (misspelling_error(archive), "/v1/awards"),
        (
            InternalError("The server failed; the error was logged under request id 4bf92."),
            "/v1/awards",
        ),
        (Unavailable("The record is not loaded yet."), "/v1/awards"),
    )
    return {
        problem.status: json.loads(bytes(problem.response(path).body)) for problem, path in examples
    }
