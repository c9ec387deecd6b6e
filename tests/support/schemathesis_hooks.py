"""Schemathesis hooks that excuse valid-looking requests which are rightly rejected.

`schemathesis.toml` loads this file. JSON Schema describes each value by itself; it cannot express
rules about the calendar, other parameters or earlier responses. A rejection is excused only if
every error in it names a parameter below, and the request violates the rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import schemathesis
from schemathesis.core.failures import Failure

from app.settings import Settings

QueryParameters = Mapping[str, list[str]]


def _is_invented_cursor(sent: QueryParameters, name: str) -> bool:
    """A cursor is valid only if the same query returned it."""
    return name == "cursor" and name in sent


def _is_invented_release(sent: QueryParameters, name: str) -> bool:
    """Only releases that the record had can be compared, the older with the newer."""
    return name in ("since", "until") and name in sent


def _is_invalid_date(sent: QueryParameters, name: str) -> bool:
    """The date pattern allows month 13 and February 30."""
    return name.endswith(("__gte", "__lte")) and any(not _is_date(value) for value in sent[name])


def _needs_json(sent: QueryParameters, name: str) -> bool:
    """`include` and `facet` need JSON; OpenAPI cannot relate two parameters."""
    return name in _JSON_ONLY_PARAMETERS and sent.get("format", ["json"]) != ["json"]


def _has_no_column(sent: QueryParameters, name: str) -> bool:
    """`links` has no column in CSV."""
    return name == "fields" and "links" in sent[name] and sent.get("format") == ["csv"]


def _lacks_its_pair(sent: QueryParameters, name: str) -> bool:
    """`/v1/cite` needs both type and id of a resource."""
    other = {"type": "resource", "resource": "type"}.get(name)
    return name not in sent and other is not None and other in sent


_MAX_URL_BYTES: int = Settings.model_fields["max_url_bytes"].default
_JSON_ONLY_PARAMETERS = {"include", "facet"}
_PHASES_WITH_ALL_PARAMETERS = {"examples", "coverage"}
_EXCUSES: list[Callable[[QueryParameters, str], bool]] = [
    _is_invented_cursor,
    _is_invented_release,
    _is_invalid_date,
    _needs_json,
    _has_no_column,
    _lacks_its_pair,
]


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Remove parameters that exclude each other, in phases that send all parameters.

    Otherwise every request of these phases would be rejected, and the parameter under test would
    never be tested. Negative test cases are sent unchanged.
    """
    del context, kwargs
    meta = case.meta
    if (
        meta is None
        or meta.generation.mode.is_negative
        or meta.phase.name not in _PHASES_WITH_ALL_PARAMETERS
    ):
        return
    tested = getattr(meta.phase.data, "parameter", None)
    conflicting = {"format"} if tested in _JSON_ONLY_PARAMETERS else _JSON_ONLY_PARAMETERS
    for name in {"cursor", *conflicting} - {tested}:
        case.query.pop(name, None)


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """Whether to report a failure: true unless a valid-looking request was rightly rejected.

    A URL that is too long is rejected before routing, so no operation declares 414. With `fields`,
    items lack fields that their schema requires.
    """
    del context, case
    if failure.checks[0] == "response_schema_conformance":
        is_required = getattr(failure, "schema_path", ())[-1:] == ["required"]
        return not (
            is_required and has_selected_fields(response.request.url or "", response.json())
        )
    if response.status_code == 414:
        return not is_too_long(response.request.url or "")
    if failure.checks != ("positive_data_acceptance",) or response.status_code != 422:
        return True
    return not is_excused(response.request.url or "", json.loads(response.content))


def is_too_long(url: str) -> bool:
    """Whether path and query of a URL exceed the default `MAX_URL_BYTES`."""
    parts = urlsplit(url)
    return len(f"{parts.path}?{parts.query}".encode()) > _MAX_URL_BYTES


def has_selected_fields(url: str, body: Mapping[str, Any]) -> bool:
    """Whether every item of a response has exactly the fields that its URL selects."""
    fields = parse_qs(urlsplit(url).query).get("fields")
    data = body["data"]
    items = data if isinstance(data, list) else [data]
    return fields is not None and all({*item} == {"id", *fields} for item in items)


def is_excused(url: str, problem: Mapping[str, Any]) -> bool:
    """Whether every error of a rejection has an excuse."""
    sent = parse_qs(urlsplit(url).query, keep_blank_values=True)
    names = [error["parameter"] for error in problem["errors"]]
    return bool(names) and all(any(excuse(sent, name) for excuse in _EXCUSES) for name in names)


def _is_date(text: str) -> bool:
    year, month, day = ([int(part) for part in text.split("-")] + [1, 1])[:3]
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
