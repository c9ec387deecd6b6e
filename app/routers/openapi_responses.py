"""Responses as OpenAPI declares them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.responses.formats import CSV, GEOJSON, HTML, JSON, NDJSON, Format
from app.responses.problems import MEDIA_TYPE, PROBLEMS, Problem

_REFERENCE = {"$ref": "#/components/schemas/ProblemDocument"}

_SCHEMAS: dict[str, Any] = {
    JSON.name: {},
    CSV.name: {"schema": {"type": "string"}},
    NDJSON.name: {"schema": {"type": "string"}},
    GEOJSON.name: {"schema": {"type": "object"}},
    HTML.name: {"schema": {"type": "string"}},
}

HEADERS: dict[str, Any] = {
    "ETag": {
        "description": "Strong entity tag; send it as `If-None-Match` to get 304 next time.",
        "schema": {"type": "string"},
    },
    "Cache-Control": {
        "description": "How long the answer may be kept.",
        "schema": {"type": "string"},
    },
    "X-Data-Release": {
        "description": "Release of the data: SHA-256 of its seed file.",
        "schema": {"type": "string"},
    },
}
NEXT_LINK_HEADER: dict[str, Any] = {
    "Link": {
        "description": "The next page, as `rel=next` (RFC 8288); absent on the last one.",
        "schema": {"type": "string"},
    }
}
ENTRY_LINK_HEADER: dict[str, Any] = {
    "Link": {
        "description": "The description and the documentation of the API, its catalogue and the "
        "terms of the data: `service-desc`, `service-doc`, `api-catalog`, `license` (RFC 8288).",
        "schema": {"type": "string"},
    }
}


def openapi_responses(
    *problems: type[Problem],
    headers: dict[str, Any] | None = None,
    formats: Sequence[Format] = (),
) -> dict[Any, Any]:
    """Responses of a path: its success, 304, and these problems besides 500 and 503."""
    answers: dict[Any, Any] = {
        200: {"headers": {**HEADERS, **(headers or {})}},
        304: {"description": "Not modified: the client's copy, named by `If-None-Match`, is good."},
    }
    if formats:
        answers[200]["content"] = {one.media_type: _SCHEMAS[one.name] for one in formats}
    for problem in (*problems, PROBLEMS["internal-error"], PROBLEMS["unavailable"]):
        answers[problem.status] = {
            "description": f"{problem.title}. {problem.explanation}",
            "content": {MEDIA_TYPE: {"schema": _REFERENCE}},
        }
    return answers
