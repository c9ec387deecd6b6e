"""Requests that fit the schema and are refused all the same, for schemathesis to know.

`schemathesis.toml` names this file. JSON Schema describes one value at a time; what depends on the
calendar, on another parameter or on an earlier answer it cannot say. A refusal passes only when
every error in it names one of the parameters below, and the request gave cause for it.
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

Sent = Mapping[str, list[str]]


def _forged(sent: Sent, name: str) -> bool:
    """A cursor is a token: only one that the same query gave is good, whatever it looks like."""
    return name == "cursor" and name in sent


def _not_in_the_calendar(sent: Sent, name: str) -> bool:
    """The pattern of a date cannot know how long February is, or that there is no month 13."""
    return name.endswith(("__gte", "__lte")) and any(not _exists(one) for one in sent[name])


def _without_a_place(sent: Sent, name: str) -> bool:
    """Only JSON has room for what is included and counted; OpenAPI cannot tie two parameters."""
    return name in _ENVELOPE and sent.get("format", ["json"]) != ["json"]


_LONGEST_URL: int = Settings.model_fields["max_url_bytes"].default
_ENVELOPE = {"include", "facet"}
_ALL_AT_ONCE = {"examples", "coverage"}
_REASONS: list[Callable[[Sent, str], bool]] = [_forged, _not_in_the_calendar, _without_a_place]


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Keep apart what a good request cannot have at once, where all parameters would be sent.

    Otherwise each request of these phases would end at the first reason, and nothing be learnt of
    the answer to the parameter that it is about. Bad requests are sent as they are.
    """
    del context, kwargs
    meta = case.meta
    if meta is None or meta.generation.mode.is_negative or meta.phase.name not in _ALL_AT_ONCE:
        return
    about = getattr(meta.phase.data, "parameter", None)
    rivals = {"format"} if about in _ENVELOPE else _ENVELOPE
    for name in {"cursor", *rivals} - {about}:
        case.query.pop(name, None)


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """Whether a failure stands: all do, but for a good-looking request rightly refused.

    An address longer than any that is read is refused before a path is known, so that no operation
    declares it.
    """
    del context, case
    if response.status_code == 414:
        return not too_long(response.request.url or "")
    if failure.checks != ("positive_data_acceptance",) or response.status_code != 422:
        return True
    return not excused(response.request.url or "", json.loads(response.content))


def too_long(url: str) -> bool:
    """Whether path and query of an address take more bytes than are read."""
    parts = urlsplit(url)
    return len(f"{parts.path}?{parts.query}".encode()) > _LONGEST_URL


def excused(url: str, problem: Mapping[str, Any]) -> bool:
    """Whether each error of a refusal has one of the reasons."""
    sent = parse_qs(urlsplit(url).query, keep_blank_values=True)
    named = [error["parameter"] for error in problem["errors"]]
    return all(any(reason(sent, name) for reason in _REASONS) for name in named) and bool(named)


def _exists(text: str) -> bool:
    year, month, day = ([int(part) for part in text.split("-")] + [1, 1])[:3]
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
