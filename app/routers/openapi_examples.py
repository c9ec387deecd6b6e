"""Examples in the OpenAPI document, all taken from the served record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.archive.archive import LISTS, Archive
from app.exports.citing import RENDERERS, cited_record
from app.models import Document
from app.models.base import Model
from app.models.change import Change
from app.models.release import LATEST
from app.query.changes import ChangesQuery, changes_body, find_changes
from app.query.examples import (
    example_resource,
    misspelling_error,
    parameter_example,
    search_word,
)
from app.query.full_text import find_matches
from app.query.query import Query
from app.query.removals import Removal
from app.query.selection import find_page
from app.responses.formats import BIBTEX, CSL, CSV, JSON, NDJSON
from app.responses.problems import (
    MEDIA_TYPE,
    BadRequest,
    InternalError,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Problem,
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

Json = dict[str, Any]


def add_examples(document: Json, archive: Archive, bodies: Mapping[str, bytes]) -> None:
    """Add examples of responses, problems and parameters to an OpenAPI document.

    Args:
        document: The document, which is changed.
        archive: Archive that examples are taken from.
        bodies: Example response bodies of endpoints that belong to no collection, by path.
    """
    paths = document["paths"]
    for model in LISTS.values():
        _add_collection_examples(paths, model, archive)
    _add_search_examples(paths["/v1/search"]["get"], archive)
    _add_changes_examples(paths["/v1/changes"]["get"], archive)
    _add_cite_examples(paths["/v1/cite"]["get"], archive)
    for path, body in bodies.items():
        _success_content(paths[path]["get"])[JSON.media_type]["example"] = json.loads(body)
    problems = problem_examples(archive)
    for operations in paths.values():
        _add_problem_examples(operations["get"], problems)


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
    body = page_body(page.documents, meta, links)
    _add_list_examples(list_operation, model, page.documents, body)
    item = json.loads(item_body(page.documents[0]))
    _success_content(item_operation)[JSON.media_type]["example"] = item
    item_operation["parameters"][0]["example"] = page.ids[0]
    for operation in (list_operation, item_operation):
        names = [
            parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"
        ]
        examples = {name: parameter_example(archive, model, name) for name in names}
        _add_parameter_examples(operation, {**examples, "cursor": page.cursor})


def _add_search_examples(operation: Json, archive: Archive) -> None:
    word = search_word(archive)
    page = find_matches(archive, {"q": word, "limit": 1}, archive.connection)
    links = page_links("/v1/search", [("q", word), ("limit", "1")], page.cursor)
    meta = {"total": page.total, "limit": 1, "release": archive.release}
    example = json.loads(list_body(page.hits, meta, links))
    _success_content(operation)[JSON.media_type]["example"] = example
    examples = {"q": word, "type": "award", "limit": 20, "cursor": page.cursor}
    _add_parameter_examples(operation, examples)


def _add_changes_examples(operation: Json, archive: Archive) -> None:
    since = next(iter(archive.releases))
    query = ChangesQuery.from_parameters(archive, {"since": since, "limit": 1})
    page = find_changes(archive, query, archive.connection)
    links = page_links("/v1/changes", [("since", since), ("limit", "1")], page.cursor)
    body = changes_body(page, query, archive.release, links)
    _add_list_examples(operation, Change, page.documents, body)
    examples = {
        "since": since,
        "until": LATEST,
        "type": "award",
        "resource": example_resource(archive).path.rpartition("/")[2],
        "field": "title",
        "kind": "changed",
        "facet": "type",
        "limit": 20,
        "cursor": page.cursor,
        "format": CSV.name,
    }
    _add_parameter_examples(operation, examples)


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
    _add_parameter_examples(operation, examples)


def _add_list_examples(
    operation: Json, model: type[Model], documents: Sequence[bytes], body: bytes
) -> None:
    """Add the examples of a page: its body as JSON, and its documents in the other formats."""
    content = _success_content(operation)
    table = csv_header(model) + csv_lines(model, documents)
    content[JSON.media_type]["example"] = json.loads(body)
    content[CSV.media_type]["example"] = table.decode()
    content[NDJSON.media_type]["example"] = ndjson_lines(documents).decode()


def _add_parameter_examples(operation: Json, examples: Mapping[str, Any]) -> None:
    """Add an example value to each parameter that has one."""
    for parameter in operation["parameters"]:
        example = examples.get(parameter["name"])
        if example is None:
            continue
        repeatable = parameter["schema"].get("type") == "array"
        parameter["schema"]["examples"] = [[example] if repeatable else example]
        if parameter["required"]:
            parameter["example"] = example


def _add_problem_examples(operation: Json, examples: Mapping[int, Json]) -> None:
    for status, response in operation["responses"].items():
        if MEDIA_TYPE in response.get("content", {}):
            response["content"][MEDIA_TYPE]["example"] = examples[int(status)]


def _success_content(operation: Json) -> Json:
    """The `content` object of an operation's 200 response."""
    content: Json = operation["responses"]["200"]["content"]
    return content


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
