"""How a web server must respond to match the API, independent of the server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.mirror.asgi_client import AsgiClient
from app.mirror.entries import Entry
from app.responses.problems import (
    BadRequest,
    InternalError,
    InvalidParameters,
    MethodNotAllowed,
    NotFound,
    Problem,
    RangeNotSatisfiable,
)

METHODS = ("GET", "HEAD")
INSTANCE = "INSTANCE"
"""Placeholder in `PROBLEMS` for the path of the request."""
INSTANCE_PATTERN = r"^([-A-Za-z0-9._~!$&()*+,;=:@/%]+)"
"""Matches the part of a request target that needs no escaping in JSON."""
_RANGES_PREFIX = "/v1/exports/"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration files are rendered from.

    Attributes:
        headers: Headers of every response, except `Cache-Control`.
        cache_control: `Cache-Control` of successful responses.
        preflight_headers: Headers of responses to OPTIONS, in addition to `headers`.
        pages: Entries of all URLs that are not items.
        items: The entry of one item of each collection, by the collection's name.
    """

    headers: Mapping[str, str]
    cache_control: str
    preflight_headers: Mapping[str, str]
    pages: Sequence[Entry]
    items: Mapping[str, Entry]

    def extra_headers(self, entry: Entry) -> Mapping[str, str | None]:
        """Headers in which an entry differs from most responses; None for a header it lacks."""
        headers = dict(entry.headers)
        common = {**self.headers, "cache-control": self.cache_control}
        missing = dict.fromkeys(name for name in common if name not in headers)
        differing = {name: value for name, value in headers.items() if common.get(name) != value}
        return differing | missing

    def item_groups(self) -> Sequence[tuple[Sequence[str], Entry]]:
        """Names of collections whose items have the same headers, with the entry of one item."""
        groups: dict[tuple[object, ...], list[str]] = {}
        for collection, entry in self.items.items():
            groups.setdefault((entry.media_type, entry.headers), []).append(collection)
        return [(collections, self.items[collections[0]]) for collections in groups.values()]

    @staticmethod
    def supports_ranges(entry: Entry) -> bool:
        """Whether range requests (RFC 9110, 14) are supported: only for export files."""
        return entry.url.startswith(_RANGES_PREFIX)


async def build_rules(
    client: AsgiClient, pages: Sequence[Entry], items: Mapping[str, Entry]
) -> Rules:
    """Derive the rules from responses of the application.

    Raises:
        ValueError: A header has a value that a configuration file cannot hold.
    """
    common = dict(next(entry for entry in pages if entry.url == "/v1/meta").headers)
    async with client.request("OPTIONS", "/v1") as preflight:
        options = dict(preflight.headers)
    for entry in (*pages, *items.values()):
        _check_quotable(entry.headers)
    preflight_headers = {name: value for name, value in options.items() if name not in common}
    cache_control = common.pop("cache-control")
    return Rules(common, cache_control, preflight_headers, pages, items)


def _check_quotable(headers: Iterable[tuple[str, str]]) -> None:
    for name, value in headers:
        if set(value) & set("\\${}`\n"):
            raise ValueError(f"{name} cannot be written into a configuration file: {value}")


def _render(problem: Problem) -> str:
    body: str = bytes(problem.response(f"/{INSTANCE}").body).decode()
    return body.replace(f"/{INSTANCE}", INSTANCE)


def _query_not_supported() -> InvalidParameters:
    problem = InvalidParameters(())
    problem.detail = (
        "This is a static mirror: it serves full responses and supports no query parameters. "
        "Remove the query string, or use the API."
    )
    return problem


PROBLEMS: Mapping[str, str] = {
    "bad_request": _render(BadRequest("The request is malformed.")),
    "not_found": _render(
        NotFound("This mirror has no file for this path. /v1 links to every collection.")
    ),
    "method_not_allowed": _render(MethodNotAllowed("Only GET, HEAD and OPTIONS are supported.")),
    "query_not_supported": _render(_query_not_supported()),
    "range_not_satisfiable": _render(
        RangeNotSatisfiable("The requested range starts after the end of the file.")
    ),
    "internal_error": _render(InternalError("The file cannot be read.")),
    "precondition_failed": json.dumps(
        {
            "type": "about:blank",
            "title": "Precondition Failed",
            "status": 412,
            "detail": "The file's entity tag does not match If-Match.",
            "instance": INSTANCE,
        },
        separators=(",", ":"),
    ),
}
"""Problem documents (RFC 9457) as JSON, by name."""
