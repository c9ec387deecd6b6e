"""The documented nginx cache: how many copies it keeps for the usual clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.caches.exchanges import COLLECTION, EXPORT, ITEM, Cache, ask, coding_of
from tests.caches.origin import Origin
from tests.caches.proxies import running_proxy

pytestmark = [pytest.mark.server, pytest.mark.process, pytest.mark.web_server]

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CLIENTS = {
    "curl": {"Accept": "*/*"},
    "wget": {"Accept": "*/*", "Accept-Encoding": "identity"},
    "requests": {"Accept": "*/*", "Accept-Encoding": "gzip, deflate"},
    "httpx": {"Accept": "*/*", "Accept-Encoding": "gzip, deflate, br, zstd"},
    "Chromium": {"Accept": BROWSER, "Accept-Encoding": "gzip, deflate, br, zstd"},
    "Firefox": {"Accept": BROWSER, "Accept-Encoding": "gzip, deflate, br"},
    "axios": {
        "Accept": "application/json, text/plain, */*",
        "Accept-Encoding": "gzip, compress, deflate, br",
    },
    "undici": {"Accept": "*/*", "Accept-Encoding": "br, gzip, deflate"},
}
"""Headers as eight usual clients send them."""


@pytest.fixture(scope="module")
def nginx(origin: Origin) -> Iterator[Cache]:
    """A proxy with the documented cache."""
    with running_proxy("nginx", origin) as running:
        yield running


def downloads(nginx: Cache, origin: Origin, path: str) -> int:
    """How often the origin is asked when every client requests a path, twice."""
    return sum(
        len(ask(nginx, origin, path, headers).forwarded)
        for headers in (*CLIENTS.values(), *CLIENTS.values())
    )


def test_one_copy_of_the_database_serves_all_clients(nginx: Cache, origin: Origin) -> None:
    """Exports vary by nothing, so the origin sends record.sqlite once."""
    assert downloads(nginx, origin, EXPORT) == 1


def test_items_are_stored_once_a_coding_and_accept(nginx: Cache, origin: Origin) -> None:
    """Codings are reduced to the best one; `Accept` is kept as it is, for pages of errors."""
    best = {"identity", "gzip", "br", "zstd"}
    received = {
        (headers["Accept"], coding_of(ask(nginx, origin, ITEM, headers).response))
        for headers in CLIENTS.values()
    }
    assert {coding for _, coding in received} == best
    assert downloads(nginx, origin, f"{ITEM}?include=citations") == len(received)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip;q=0, br", "br"),
        ("zstd;q=0, br;q=0, gzip", "gzip"),
        ("gzip; q=0", "identity"),
        ("*", "identity"),
        ("GZIP", "gzip"),
        ("", "identity"),
    ],
)
def test_a_refused_coding_is_not_sent(nginx: Cache, accepted: str, coding: str) -> None:
    """A weight of zero refuses a coding; names of codings have no case (RFC 9110, 12.5.3)."""
    response = nginx.request(f"{COLLECTION}?sort=title", {"Accept-Encoding": accepted})
    assert coding_of(response) == coding
