"""Fresh responses in caching clients, with the settings that the documentation recommends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.caches.clients import LIBRARIES, NOT_FOLLOWING, Client
from tests.caches.exchanges import (
    COLLECTION,
    EXPORT,
    PATHS,
    Cache,
    ask,
    assert_faithful,
    coding_of,
    is_stored,
)
from tests.caches.origin import Origin, Response, new_request_id
from tests.caches.tables import Seen

pytestmark = [pytest.mark.server, pytest.mark.process]

NO_STORE = "/healthz"
IN_PYTHON = [name for name, library in LIBRARIES.items() if library.expression is not None]
TYPES = ("application/json", "text/csv", "application/x-ndjson")


def test_fresh_responses_are_hits(client: Cache, origin: Origin, seen: Seen) -> None:
    """Every client stores items, collections and exports."""
    for path in PATHS:
        assert is_stored(client, origin, path, {"Accept-Encoding": "gzip"})
    for path in ("/v1/awards/nobody", NO_STORE):
        name = new_request_id()
        for _ in range(2):
            client.request(path, {"X-Request-Id": name})
        stored = len(origin.requests(name)) < 2
        assert not stored or client.name in NOT_FOLLOWING
    seen(client.name, "stored", "yes, `no-store` too" if stored else "yes")


def test_content_is_right_in_every_coding(client: Cache, origin: Origin, seen: Seen) -> None:
    """The content is the origin's, whichever coding was stored first."""
    received: dict[str, Response] = {}
    codings = ("gzip", "identity")
    for accepted in (*codings, *reversed(codings)):
        headers = {"Accept-Encoding": accepted}
        received[accepted] = ask(client, origin, f"{COLLECTION}?sort=title", headers).response
    kept = [coding for coding in codings if coding_of(received[coding]) == coding]
    hits = [
        ask(client, origin, f"{COLLECTION}?sort=title", {"Accept-Encoding": coding}).is_hit
        for coding in codings
    ]
    text = "each kept" if all(hits) else "the last one kept"
    seen(client.name, "codings", text if len(kept) == 2 else "the first one for all")


def test_formats_are_kept_apart(client: Cache, origin: Origin, seen: Seen) -> None:
    """With the recommended settings, each request gets the format that it accepts."""
    matches = []
    for accepted in (*TYPES, *reversed(TYPES)):
        response = client.request(COLLECTION, {"Accept": accepted, "Accept-Encoding": "gzip"})
        matches.append(response.headers["content-type"].startswith(accepted))
        if matches[-1]:
            originals = origin.known(COLLECTION, accepted)
            headers = {"Accept-Encoding": "gzip"}
            assert_faithful(response, originals, headers, "GET", decodes=client.decodes)
    assert all(matches) or client.name in NOT_FOLLOWING
    seen(client.name, "formats", "kept apart" if all(matches) else "**mixed up**")


def test_formats_of_the_query_are_kept_apart(client: Cache, origin: Origin) -> None:
    """With any settings, `?format=` gives that format."""
    for name in ("json", "csv", "ndjson", "json", "csv", "ndjson"):
        path = f"{COLLECTION}?format={name}"
        response = ask(client, origin, path, {"Accept-Encoding": "gzip"}).response
        assert response.headers["content-type"] == origin.direct(path).headers["content-type"]


def test_ranges_are_right_or_whole(client: Cache, origin: Origin, seen: Seen) -> None:
    """A range is the right part, or the whole file with another status than 206."""
    assert is_stored(client, origin, EXPORT)
    response = ask(client, origin, EXPORT, {"Range": "bytes=100-199"}).response
    assert response.status in (200, 206)
    seen(client.name, "ranges", "206" if response.status == 206 else "whole")


@pytest.mark.parametrize("tag", ["current", "other"])
@pytest.mark.parametrize("client", IN_PYTHON, indirect=True)
def test_a_download_is_resumed(client: Client, origin: Origin, tmp_path: Path, tag: str) -> None:
    """The documented function completes a file, or replaces it if there is a newer one."""
    assert is_stored(client, origin, EXPORT)
    whole = origin.direct(EXPORT)
    file = tmp_path / "record.sqlite"
    file.write_bytes(whole.body[:1000] if tag == "current" else b"something else" * 70)
    client.resume(EXPORT, file, whole.headers["etag"] if tag == "current" else '"other"')
    assert file.read_bytes() == whole.body
