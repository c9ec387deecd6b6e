"""Response declarations for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from app.models.release import RELEASE_DESCRIPTION
from app.responses.formats import (
    ATOM,
    BIBTEX,
    CSL,
    CSV,
    GEOJSON,
    HTML,
    JSON,
    NDJSON,
    RIS,
    TEXT,
    Format,
)
from app.responses.problems import MEDIA_TYPE, PROBLEMS, Problem

_PROBLEM_SCHEMA = {"$ref": "#/components/schemas/ProblemDocument"}

_FORMAT_CONTENT: dict[str, Any] = {
    JSON.name: {},
    CSV.name: {"schema": {"type": "string"}},
    NDJSON.name: {"schema": {"type": "string"}},
    GEOJSON.name: {"schema": {"type": "object"}},
    HTML.name: {"schema": {"type": "string"}},
    CSL.name: {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/CslItem"}}},
    BIBTEX.name: {"schema": {"type": "string"}},
    RIS.name: {"schema": {"type": "string"}},
    TEXT.name: {"schema": {"type": "string"}},
    ATOM.name: {"schema": {"type": "string"}},
}


def text_header(description: str) -> dict[str, Any]:
    """A response header whose value is any text."""
    return {"description": description, "schema": {"type": "string"}}


_CORS_HEADERS: dict[str, Any] = {
    "Access-Control-Allow-Origin": text_header(
        "`*`, also on errors: pages of every origin may read the response."
    )
}
SUCCESS_HEADERS: dict[str, Any] = {
    **_CORS_HEADERS,
    "ETag": text_header("Strong entity tag. Send it in `If-None-Match` to get 304 if unchanged."),
    "Cache-Control": text_header("How long the response may be cached."),
    "X-Data-Release": text_header(
        f"{RELEASE_DESCRIPTION} A cache may keep an old value with an unchanged "
        "body; in a body, `meta.release` is always that of the data."
    ),
}
_NO_STORE_HEADERS: dict[str, Any] = {
    **_CORS_HEADERS,
    "Cache-Control": text_header("`no-store`."),
    "X-Data-Release": SUCCESS_HEADERS["X-Data-Release"],
}
CONTENT_LINK_HEADER: dict[str, Any] = {
    "Link": text_header(
        "FAIR Signposting: the permanent address of the release as `cite-as` (RFC "
        "8574), the `collection` that this belongs to, its `type`, a description of the record as "
        "`describedby` and its `license`."
    )
}
DESCRIPTION_LINK_HEADER: dict[str, Any] = {
    "Link": text_header("FAIR Signposting: the record page as `describes`, and the `license`.")
}
NEXT_LINK_HEADER: dict[str, Any] = {
    "Link": text_header("The next page as `rel=next` (RFC 8288); absent on the last page.")
}
ENTRY_LINK_HEADER: dict[str, Any] = {
    "Link": text_header(
        "Links to the OpenAPI document, documentation for people and for language "
        "models, API catalog (if the server has a public URL) and license: `service-desc`, "
        "`service-doc`, `api-catalog`, `license` (RFC 8288)."
    )
}

PAGE_LINK_HEADER: dict[str, Any] = {
    "Link": text_header(
        "The links of `/v1` and those of FAIR Signposting: the permanent address of "
        "the release as `cite-as` (RFC 8574), `type`, descriptions of the record as `describedby` "
        "and its exports as `item`."
    )
}


def openapi_responses(
    *problems: type[Problem],
    headers: dict[str, Any] | None = None,
    formats: Sequence[Format] = (),
    no_store: bool = False,
) -> dict[Any, Any]:
    """Responses of an endpoint: 200, 304, 500, 503 and the given problems.

    Args:
        problems: Problem classes the endpoint raises.
        headers: Headers of the 200 response beyond the common ones.
        formats: Formats of the 200 response, if there are several.
        no_store: Whether the 200 response is `no-store`, so that there is no 304.
    """
    common = _NO_STORE_HEADERS if no_store else SUCCESS_HEADERS
    responses: dict[Any, Any] = {200: {"headers": {**common, **(headers or {})}}}
    if not no_store:
        not_modified = "Not modified: the copy identified by `If-None-Match` is current."
        responses[304] = {"description": not_modified}
    if formats:
        responses[200]["content"] = format_content(formats)
    for problem in (*problems, PROBLEMS["internal-error"], PROBLEMS["unavailable"]):
        responses[problem.status] = {
            "description": f"{problem.title}. {problem.explanation}",
            "content": {MEDIA_TYPE: {"schema": _PROBLEM_SCHEMA}},
        }
    return responses


def format_content(formats: Iterable[Format]) -> dict[str, Any]:
    """The `content` object of a response in one of several formats."""
    return {format_.media_type: _FORMAT_CONTENT[format_.name] for format_ in formats}
