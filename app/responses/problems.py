"""Errors as exceptions that are rendered as problem documents (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, Field
from starlette.responses import Response

from app.responses.formats import HTML, JSON, media_type_quality
from app.responses.quality import parse_qualities

MEDIA_TYPE = "application/problem+json"
_MAX_COMPARED_LENGTH = 64
"""Maximum length of a name for which `closest_match` looks for a similar one."""
_MAX_INSTANCE_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class ParameterError:
    """An error in one query parameter.

    Attributes:
        parameter: Name of the parameter, as sent.
        message: What is wrong and what is expected.
        allowed: Allowed names or values, if they are a closed set.
        did_you_mean: The closest allowed name or value, if one is similar.
    """

    parameter: str
    message: str
    allowed: Sequence[str] | None = None
    did_you_mean: str | None = None


class Problem(Exception):
    """An error that is reported to the client.

    Attributes:
        slug: Last segment of the problem's `type`.
        title: Summary of the problem type; the same for every occurrence.
        status: HTTP status code.
        explanation: Description of the problem type, in Markdown; served at `type`.
        remedy: What a client should do, in Markdown.
    """

    slug: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[int]
    explanation: ClassVar[str]
    remedy: ClassVar[str]

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

    def document(self, path: str) -> dict[str, Any]:
        """The members of the problem document for a request for `path`."""
        if path.startswith("//"):  # otherwise the reference would begin with a host (RFC 3986, 4.2)
            path = f"/.{path}"
        document: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": quote(path[:_MAX_INSTANCE_LENGTH], safe="/~!$&'()*+,;=:@"),
        }
        if self.errors is not None:
            document["errors"] = [asdict(error) for error in self.errors]
        return document

    def response(self, path: str) -> Response:
        """A problem document as the response to a request for `path`."""
        content = json.dumps(self.document(path), ensure_ascii=False, separators=(",", ":"))
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(
            content.encode("utf-8", "backslashreplace"), self.status, headers, MEDIA_TYPE
        )


class BadRequest(Problem):
    """The request is malformed."""

    slug = "bad-request"
    title = "Bad request"
    status = 400
    explanation = "The request is malformed; `detail` gives the reason."
    remedy = "Correct the request as `detail` says: it is not valid HTTP, whatever its path."


class NotFound(Problem):
    """No route or resource matches the path.

    Attributes:
        suggestion: The path that the client probably wants, if one is similar; pages link to it.
    """

    slug = "not-found"
    title = "Not found"
    status = 404
    explanation = (
        "Unknown path, or no resource with this id. Ids are lowercase slugs and permanent; paths "
        "have no trailing slash. `/v1` links to every collection."
    )
    remedy = (
        "Check the path and the id. `detail` names the closest path, if there is one, and `/v1` "
        "links to every collection."
    )

    def __init__(
        self,
        detail: str,
        errors: Sequence[ParameterError] | None = None,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(detail, errors)
        self.suggestion = suggestion


class MethodNotAllowed(Problem):
    """The request method is not GET, HEAD or OPTIONS."""

    slug = "method-not-allowed"
    title = "Method not allowed"
    status = 405
    explanation = "The record is read-only: only GET, HEAD and OPTIONS are supported."
    remedy = "Use GET or HEAD. `Allow` lists the methods."


class NotAcceptable(Problem):
    """No available format matches the `Accept` header."""

    slug = "not-acceptable"
    title = "Not acceptable"
    status = 406
    explanation = (
        "The `Accept` header excludes every format that this path supports; `detail` lists the "
        "supported formats."
    )
    remedy = "Ask for a format in `detail`, use the parameter `format`, or send no `Accept` header."


class Gone(Problem):
    """A resource or citation was removed from the record."""

    slug = "gone"
    title = "Gone"
    status = 410
    explanation = (
        "A correction removed this resource or citation. `release` is the release that it is "
        "missing from, `reason` says why, and `replaced_by` lists what took its place. Ids are "
        "never reused. The records of earlier releases still have it: see `/v1/releases`."
    )
    remedy = (
        "Delete your copy, and use what `replaced_by` lists; if it is empty, nothing took its "
        "place. What it was is in the record of an earlier release: `/v1/releases`. Do not retry."
    )

    def __init__(
        self,
        detail: str,
        release: str = "",
        reason: str = "",
        replaced_by: Sequence[str] = (),
        errors: Sequence[ParameterError] | None = None,
    ) -> None:
        super().__init__(detail, errors)
        self.release, self.reason, self.replaced_by = release, reason, replaced_by

    def document(self, path: str) -> dict[str, Any]:
        """The members of the problem document, with three extension members (RFC 9457, 3.2)."""
        removal = {
            "release": self.release,
            "reason": self.reason,
            "replaced_by": list(self.replaced_by),
        }
        return super().document(path) | removal


class RangeNotSatisfiable(Problem):
    """The requested range lies outside the file."""

    slug = "range-not-satisfiable"
    title = "Range not satisfiable"
    status = 416
    explanation = (
        "The requested range starts after the end of the file. `Content-Range` gives the file size."
    )
    remedy = (
        "Compare the file size in `Content-Range` with your copy: if they are equal, it is "
        "complete. Otherwise download it again from the start."
    )


class UrlTooLong(Problem):
    """The URL exceeds the maximum length."""

    slug = "url-too-long"
    title = "URL too long"
    status = 414
    explanation = "`detail` gives the maximum length of a URL. Request fewer values at once."
    remedy = "Send fewer values, in several requests, or request the whole list and select in it."


class HeadersTooLarge(Problem):
    """The request headers exceed the maximum number or size."""

    slug = "headers-too-large"
    title = "Request headers too large"
    status = 431
    explanation = "`detail` gives the maximum number and size of headers."
    remedy = "Send fewer or smaller headers, such as cookies."


class InvalidParameters(Problem):
    """Query parameters are unknown or have invalid values.

    Attributes:
        correct: Returns a valid query string that is similar; None if there is none. Pages link
            to it.
    """

    slug = "invalid-parameters"
    title = "Invalid query parameters"
    status = 422
    explanation = (
        "A parameter is unknown, empty, out of range, of the wrong type, or repeated although it "
        "takes a single value. `errors` lists each of them with the allowed values and the closest "
        "match."
    )
    remedy = (
        "Correct each parameter in `errors`: `did_you_mean` has the closest match, and `allowed` "
        "every valid name or value. If it is `cursor`, start again from the first page."
    )

    def __init__(
        self,
        errors: Sequence[ParameterError],
        correct: Callable[[], str | None] = lambda: None,
    ) -> None:
        super().__init__(" ".join(error.message for error in errors), errors)
        self.correct = correct


class InternalError(Problem):
    """An unexpected error on the server."""

    slug = "internal-error"
    title = "Internal server error"
    status = 500
    explanation = "The error is on the server and was logged. Retrying may help."
    remedy = "Retry once. If it fails again, report the request id in `detail`."


class Unavailable(Problem):
    """The server cannot handle the request at the moment."""

    slug = "unavailable"
    title = "Service unavailable"
    status = 503
    explanation = (
        "The server is starting, stopping or overloaded. `Retry-After` gives the time to wait."
    )
    remedy = "Wait as many seconds as `Retry-After` says, then retry."


PROBLEMS: Mapping[str, type[Problem]] = {
    problem.slug: problem
    for problem in (
        BadRequest,
        NotFound,
        MethodNotAllowed,
        NotAcceptable,
        Gone,
        UrlTooLong,
        RangeNotSatisfiable,
        InvalidParameters,
        HeadersTooLarge,
        InternalError,
        Unavailable,
    )
}
"""Every problem type, by its slug."""


class ProblemError(BaseModel, defer_build=True):
    """An error in one query parameter."""

    parameter: str = Field(description="Name of the parameter, as sent.")
    message: str = Field(description="What is wrong and what is expected.")
    allowed: list[str] | None = Field(
        description="Allowed names or values, if they are a closed set."
    )
    did_you_mean: str | None = Field(description="The closest allowed name or value.")


class ProblemDocument(BaseModel, defer_build=True):
    """Problem details (RFC 9457)."""

    type: str = Field(description="Path of the description of this problem type.")
    title: str = Field(description="Summary of the problem type.")
    status: int = Field(description="HTTP status code.")
    detail: str = Field(description="What is wrong with this request and what is expected.")
    instance: str = Field(description="Path of the request.")
    errors: list[ProblemError] = Field(
        default_factory=list, description="Invalid query parameters, if any, each with its error."
    )
    release: str | None = Field(
        None, description="With 410: label of the release that removed the resource."
    )
    reason: str | None = Field(None, description="With 410: why it was removed.")
    replaced_by: list[str] = Field(
        default_factory=list, description="With 410: paths of the resources that replaced it."
    )


@lru_cache(maxsize=512)
def prefers_html(accept: bytes) -> bool:
    """Whether an `Accept` header prefers a page to a problem document (RFC 9110, 12.5.1)."""
    if not accept.strip():
        return False
    ranges = parse_qualities(accept)
    documents = (media_type_quality(name, ranges) for name in (MEDIA_TYPE, JSON.media_type))
    return media_type_quality(HTML.media_type, ranges) > max(documents)


def closest_match(name: str, allowed: Sequence[str]) -> str | None:
    """The allowed name that is most similar to `name`, ignoring case; None if none is similar."""
    if len(name) > _MAX_COMPARED_LENGTH:
        return None
    matches = get_close_matches(name.lower(), allowed, n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(match: str | None) -> str:
    """A sentence for an error message, with a space before it; empty without a match."""
    return f" Did you mean {match}?" if match else ""
