"""What a web server has to do to answer as the application does, whichever server it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import httpx

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

Headers = Mapping[str, str]

METHODS = ("GET", "HEAD")
RANGED = "/v1/exports/"
"""Path below which files come in ranges."""
INSTANCE = "INSTANCE"
"""Stands in a problem document for the path that was asked for."""
INSTANCE_PATTERN = r"^([-A-Za-z0-9._~!$&()*+,;=:@/%]+)"
"""The part of a path that can stand in JSON as it is."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a mirror is served.

    Attributes:
        headers: What every answer says, but for `Cache-Control`.
        kept: `Cache-Control` of what is served.
        options: What is answered to OPTIONS besides.
        pages: Entries of the addresses that are no items.
        items: An entry for the items of each collection.
        collections: Every collection that has items, in the order of the record.
    """

    headers: Headers
    kept: str
    options: Headers
    pages: Sequence[Entry]
    items: Mapping[str, Entry]

    def extra_headers(self, entry: Entry) -> Mapping[str, str | None]:
        """What an entry's answer says other than most answers do; None where it says nothing."""
        own, usual = dict(entry.headers), self._usual
        lacking = dict.fromkeys(name for name in usual if name not in own)
        return {name: one for name, one in own.items() if usual.get(name) != one} | lacking

    @property
    def _usual(self) -> Headers:
        return {**self.headers, "cache-control": self.kept}


async def rules_of(
    client: httpx.AsyncClient, pages: Sequence[Entry], items: Mapping[str, Entry]
) -> Rules:
    """The rules that follow from the answers of an application.

    Raises:
        ValueError: A header has a value that a server's configuration cannot hold.
    """
    usual = dict(next(one for one in pages if one.url == "/v1/meta").headers)
    preflight = dict((await client.options("/v1")).headers)
    for entry in (*pages, *items.values()):
        _check(dict(entry.headers).items())
    options = {name: one for name, one in preflight.items() if name not in usual}
    kept = usual.pop("cache-control")
    return Rules(usual, kept, options, pages, items)


def beyond(size: int) -> str:
    """Regular expression of a `Range` that begins after the end of so many bytes."""
    digits = str(size)
    further = [f"[0-9]{{{len(digits) + 1},}}"]
    for place, digit in enumerate(digits):
        if digit != "9":
            rest = len(digits) - place - 1
            further.append(
                f"{digits[:place]}[{int(digit) + 1}-9]" + f"[0-9]{{{rest}}}" * (rest > 0)
            )
    return f"^bytes=(0*({'|'.join([*further, digits])})-[0-9]*|-0+)$"


def quoted(value: str) -> str:
    """A value as a word of a configuration; quotes within it are escaped alike in both."""
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


def _check(headers: Iterable[tuple[str, str]]) -> None:
    for name, value in headers:
        if set(value) & set("\\${}`\n"):
            raise ValueError(f"{name} cannot be written into a configuration: {value}")


def _rendered(problem: Problem) -> str:
    body: str = bytes(problem.response(f"/{INSTANCE}").body).decode()
    return body.replace(f"/{INSTANCE}", INSTANCE)


def _query_refused() -> InvalidParameters:
    refused = InvalidParameters(())
    refused.detail = (
        "This is a static mirror: what it gives is whole, and it takes no query parameters. "
        "Leave them out, or ask the API itself."
    )
    return refused


PROBLEMS: Mapping[str, str] = {
    "bad request": _rendered(BadRequest("The request cannot be understood.")),
    "not found": _rendered(
        NotFound("No file of this mirror has this path. /v1 links every collection.")
    ),
    "method": _rendered(MethodNotAllowed("Only GET, HEAD and OPTIONS are possible here.")),
    "query": _rendered(_query_refused()),
    "range": _rendered(RangeNotSatisfiable("The file ends before the range that was asked for.")),
    "failure": _rendered(InternalError("The file cannot be read now.")),
    "precondition": json.dumps(
        {
            "type": "about:blank",
            "title": "Precondition Failed",
            "status": 412,
            "detail": "What the request demands of the file does not hold.",
            "instance": INSTANCE,
        },
        separators=(",", ":"),
    ),
}
"""Problem documents by what happened."""
