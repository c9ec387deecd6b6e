"""Errors as RFC 9457 problem documents: named where they are raised, rendered here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import ClassVar
from urllib.parse import quote

from pydantic import BaseModel, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
_COMPARED = 64
"""Longest name for which a nearest one is looked for."""


@dataclass(frozen=True, slots=True)
class ParameterError:
    """What is wrong with one query parameter.

    Attributes:
        parameter: Its name, as sent.
        message: What was wrong and what would be right.
        allowed: What is allowed instead, where that is a closed set.
        did_you_mean: The nearest allowed name or value, where one is near.
    """

    parameter: str
    message: str
    allowed: Sequence[str] | None = None
    did_you_mean: str | None = None


class Problem(Exception):
    """An error that a client is told of.

    Attributes:
        slug: Last part of the problem's `type`.
        title: What kind of problem it is; the same for every occurrence.
        status: HTTP status code.
        explanation: What `type` resolves to.
    """

    slug: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[int]
    explanation: ClassVar[str]

    def __init__(
        self,
        detail: str,
        errors: Sequence[ParameterError] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})

    def response(self, path: str) -> Response:
        """The problem as a response to a request for `path`."""
        document: dict[str, object] = {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": quote(path[:_LONGEST_INSTANCE], safe="/~!$&'()*+,;=:@"),
        }
        if self.errors is not None:
            document["errors"] = [asdict(error) for error in self.errors]
        content = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(
            content.encode("utf-8", "backslashreplace"), self.status, headers, MEDIA_TYPE
        )


_LONGEST_INSTANCE = 2_000


class BadRequest(Problem):
    """The request cannot be understood at all."""

    slug = "bad-request"
    title = "The request cannot be understood"
    status = 400
    explanation = "The request is malformed; the detail says where."


class NotFound(Problem):
    """The path names nothing."""

    slug = "not-found"
    title = "Nothing is found at this path"
    status = 404
    explanation = (
        "Either the path is none of this API's, or no resource has the id in it. Ids are "
        "lower-case slugs and permanent; paths have no trailing slash. /v1 links every collection."
    )


class MethodNotAllowed(Problem):
    """The record is read-only."""

    slug = "method-not-allowed"
    title = "The record is read-only"
    status = 405
    explanation = "Every path answers GET, HEAD and OPTIONS and nothing else."


class NotAcceptable(Problem):
    """None of the media types that the client accepts can be given."""

    slug = "not-acceptable"
    title = "No acceptable format"
    status = 406
    explanation = (
        "The Accept header leaves out every format that the path can give; the detail lists "
        "the formats it has."
    )


class RangeNotSatisfiable(Problem):
    """The range that is asked for lies outside of the file."""

    slug = "range-not-satisfiable"
    title = "The file has no such range"
    status = 416
    explanation = (
        "The file ends before the range that was asked for. Content-Range says how long it is."
    )


class UrlTooLong(Problem):
    """The URL is longer than the server reads."""

    slug = "url-too-long"
    title = "The URL is too long"
    status = 414
    explanation = "The detail says how long a URL may be; ask for fewer values at once."


class HeadersTooLarge(Problem):
    """The request's headers are more, or longer, than the server reads."""

    slug = "headers-too-large"
    title = "The headers are too large"
    status = 431
    explanation = "The detail says how many and how long headers may be."


class InvalidParameters(Problem):
    """Query parameters that the path does not take, or not with these values."""

    slug = "invalid-parameters"
    title = "Query parameters are not valid"
    status = 422
    explanation = (
        "A parameter is unknown, repeated where one value is meant, empty, of the wrong type or "
        "out of bounds. `errors` names each, says what is allowed and suggests the nearest name."
    )

    def __init__(self, errors: Sequence[ParameterError]) -> None:
        super().__init__(" ".join(error.message for error in errors), errors)


class InternalError(Problem):
    """A fault of the server's own."""

    slug = "internal-error"
    title = "The server failed"
    status = 500
    explanation = "The fault is the server's and was logged there. Trying again may help."


class Unavailable(Problem):
    """The server cannot answer now."""

    slug = "unavailable"
    title = "The server cannot answer now"
    status = 503
    explanation = "The server is starting, stopping or overloaded. Retry-After says when to retry."


PROBLEMS: Mapping[str, type[Problem]] = {
    problem.slug: problem
    for problem in (
        BadRequest,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        UrlTooLong,
        RangeNotSatisfiable,
        InvalidParameters,
        HeadersTooLarge,
        InternalError,
        Unavailable,
    )
}
"""Every kind of problem, by the last part of its `type`."""


class ProblemError(BaseModel, defer_build=True):
    """What is wrong with one query parameter."""

    parameter: str = Field(description="Name of the parameter, as sent.")
    message: str = Field(description="What was wrong and what would be right.")
    allowed: list[str] | None = Field(description="What is allowed, where that is a closed set.")
    did_you_mean: str | None = Field(description="The nearest allowed name or value.")


class ProblemDocument(BaseModel, defer_build=True):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Path that resolves to an explanation of this kind of problem.")
    title: str = Field(description="What kind of problem it is.")
    status: int = Field(description="HTTP status code.")
    detail: str = Field(description="What was wrong this time, and what would be right.")
    instance: str = Field(description="Path of the request.")
    errors: list[ProblemError] = Field(
        default_factory=list, description="For parameters: what is wrong with each."
    )


def closest_match(name: str, allowed: Sequence[str]) -> str | None:
    """The allowed name most like `name`, or None where none is near."""
    if len(name) > _COMPARED:
        return None
    matches = get_close_matches(name.lower(), allowed, n=1, cutoff=0.6)
    return matches[0] if matches else None
