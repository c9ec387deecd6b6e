"""How a web server must respond to match the API, independent of the server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from app.mirror.asgi_client import AsgiClient
from app.mirror.entries import CrawlError, Entry, accept_header
from app.responses.problems import (
    BadRequest,
    HeadersTooLarge,
    InternalError,
    InvalidParameters,
    MethodNotAllowed,
    NotFound,
    Problem,
    RangeNotSatisfiable,
    UrlTooLong,
)

METHODS = ("GET", "HEAD")
INSTANCE = "INSTANCE"
"""Placeholder in `PROBLEMS` for the path of the request."""
INSTANCE_PATTERN = r"([-A-Za-z0-9._~!$&()*+,;=:@/%]{1,1000})"
"""Matches the part of a request target that needs no escaping in JSON."""
ITEM_PATTERN = "[a-z0-9][a-z0-9._-]{0,199}"
"""Matches the id of every item, and nothing that is too long for a file name."""
RANGES_PREFIX = "/v1/exports/"
_FILE_HEADERS = ("cache-control", "vary")
"""Headers of files that problem documents do not have, or have with another value."""
_UNKNOWN_PARAMETER = "utm_source=mirror"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration files are rendered from.

    Attributes:
        headers: Headers of every response.
        file_headers: Headers of most files, in addition to `headers`.
        preflight_headers: Headers of responses to OPTIONS, in addition to `headers`.
        pages: Entries of all URLs that are not items.
        items: The entry of one item of each collection, by the collection's name.
        query_ignored: URLs of the pages that ignore a query string.
    """

    headers: Mapping[str, str]
    file_headers: Mapping[str, str]
    preflight_headers: Mapping[str, str]
    pages: Sequence[Entry]
    items: Mapping[str, Entry]
    query_ignored: frozenset[str]

    def extra_headers(self, entry: Entry) -> Mapping[str, str | None]:
        """Headers in which an entry differs from most files; None for a header it lacks."""
        return _difference(entry, {**self.headers, **self.file_headers})

    def added_headers(self, entry: Entry) -> Mapping[str, str | None]:
        """Headers in which an entry differs from all responses; None for a header it lacks."""
        return _difference(entry, self.headers)

    def item_groups(self) -> Sequence[tuple[Sequence[str], Entry]]:
        """Names of collections whose items have the same headers, with the entry of one item."""
        groups: dict[tuple[object, ...], list[str]] = {}
        for collection, entry in self.items.items():
            groups.setdefault((entry.media_type, entry.headers), []).append(collection)
        return [(collections, self.items[collections[0]]) for collections in groups.values()]

    @staticmethod
    def supports_ranges(entry: Entry) -> bool:
        """Whether range requests (RFC 9110, 14) are supported: only for export files."""
        return entry.url.startswith(RANGES_PREFIX)


def _difference(entry: Entry, common: Mapping[str, str]) -> Mapping[str, str | None]:
    headers = dict(entry.headers)
    missing = dict.fromkeys(name for name in common if name not in headers)
    return {name: value for name, value in headers.items() if common.get(name) != value} | missing


async def build_rules(
    client: AsgiClient, pages: Sequence[Entry], items: Mapping[str, Entry]
) -> Rules:
    """Derive the rules from responses of the application.

    Raises:
        ValueError: A header has a value that a configuration file cannot hold.
        CrawlError: A request with OPTIONS or with a query string has an unexpected response.
    """
    common = dict(next(entry for entry in pages if entry.url == "/v1/meta").headers)
    file_headers = {name: common.pop(name) for name in _FILE_HEADERS if name in common}
    async with client.request("OPTIONS", "/v1") as preflight:
        if preflight.status != HTTPStatus.NO_CONTENT:
            raise CrawlError(f"OPTIONS /v1 returned status {preflight.status}; expected 204")
        options = dict(preflight.headers)
    for entry in (*pages, *items.values()):
        _check_quotable(entry.headers)
    own = {**common, **file_headers}
    preflight_headers = {name: value for name, value in options.items() if name not in own}
    query_ignored = frozenset([url async for url in _ignoring_query(client, pages)])
    return Rules(common, file_headers, preflight_headers, pages, items, query_ignored)


async def _ignoring_query(client: AsgiClient, pages: Iterable[Entry]) -> AsyncIterator[str]:
    """URLs of the pages for which the application returns the same with any query string."""
    for page in pages:
        target = f"{page.url}?{_UNKNOWN_PARAMETER}"
        async with client.request("HEAD", target, {"accept": accept_header(page.url)}) as response:
            if response.status == HTTPStatus.OK:
                yield page.url
            elif response.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise CrawlError(f"{target} returned status {response.status}; expected 200 or 422")


def _check_quotable(headers: Iterable[tuple[str, str]]) -> None:
    for name, value in headers:
        if set(value) & set("\\${}`\n"):
            raise ValueError(f"{name} cannot be written into a configuration file: {value}")


def _render(problem: Problem) -> str:
    body: str = bytes(problem.response(f"/{INSTANCE}").body).decode()
    return body.replace(f"/{INSTANCE}", INSTANCE)


def _render_status(status: int, detail: str) -> str:
    """A problem document of no type but its status, which the API itself never sends."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": INSTANCE,
    }
    return json.dumps(document, separators=(",", ":"))


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
    "url_too_long": _render(UrlTooLong("The URL is too long for this server.")),
    "headers_too_large": _render(HeadersTooLarge("The headers are too large for this server.")),
    "precondition_failed": _render_status(412, "The file's entity tag does not match If-Match."),
    "not_implemented": _render_status(501, "Send the request without a transfer coding."),
    "version_not_supported": _render_status(505, "Send the request as HTTP/1.1."),
}
"""Problem documents (RFC 9457) as JSON, by name."""
