"""Replicas that each compiled the record themselves respond alike, and like the mirror."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Start
from tests.support.addresses import every_address
from tests.support.mirrors import accept_header, freeze, read_manifest
from tests.support.published import ENVIRONMENT

CODINGS = ("identity", "gzip")
_OWN_HEADERS = {"date", "x-request-id"}
"""Headers in which two responses may differ."""


class Received(NamedTuple):
    """A response as it was sent, without decoding."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Replica:
    """A connection to a server."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(url.removeprefix("http://"), timeout=120)
        self.close = self._connection.close

    def get(self, path: str, headers: Mapping[str, str]) -> Received:
        """What the server sends."""
        self._connection.request("GET", path, headers=dict(headers))
        response = self._connection.getresponse()
        kept = {name.lower(): value for name, value in response.getheaders()}
        for name in _OWN_HEADERS:
            kept.pop(name, None)
        return Received(response.status, kept, response.read())


class Replicas:
    """Servers that must respond alike."""

    def __init__(self, replicas: Sequence[Replica], threads: ThreadPoolExecutor) -> None:
        self._replicas, self._threads = replicas, threads

    def get(self, path: str, headers: Mapping[str, str]) -> Received:
        """What all of them send: the same, header by header and byte by byte."""
        received = [self._threads.submit(replica.get, path, headers) for replica in self._replicas]
        first, *others = [future.result() for future in received]
        for other in others:
            assert other == first, path
        return first


@pytest.fixture(scope="module")
def replicas(start_server: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    """Three servers, which share no file but the seed."""
    with ExitStack() as stack:
        started = []
        for number in range(3):
            archive = tmp_path_factory.mktemp(f"replica-{number}") / "archive.sqlite"
            url, _ = start_server(ARCHIVE_FILE=str(archive), ACCESS_LOG="false", **ENVIRONMENT)
            started.append(stack.enter_context(closing(Replica(url))))
        yield Replicas(started, stack.enter_context(ThreadPoolExecutor(len(started))))


def test_every_address_is_the_same_on_every_replica(replicas: Replicas) -> None:
    """Status, all headers, entity tags among them, and content, for every kind of request."""
    document = json.loads(replicas.get("/openapi.json", {}).body)
    record = json.loads(replicas.get("/v1/record", {}).body)["data"]
    addresses = dict.fromkeys(every_address(document, record))
    assert len(addresses) > 1_000
    for address in addresses:
        received = replicas.get(address, {"accept-encoding": "identity"})
        stored = received.headers["cache-control"] != "no-store"
        assert stored == ("etag" in received.headers), address
        assert not stored or received.status == 200, address


def test_every_address_of_the_mirror_has_the_same_bytes(replicas: Replicas, tmp_path: Path) -> None:
    """Each file of a mirror has the bytes that every replica sends, as they are and in gzip."""
    mirror = tmp_path / "mirror"
    freeze(mirror, "--archive", str(tmp_path / "archive.sqlite"), **ENVIRONMENT)
    entries = read_manifest(mirror)
    assert len(entries) > 250
    for entry in entries:
        tags = set()
        for coding in CODINGS:
            headers = {"accept-encoding": coding, **accept_header(entry)}
            received = replicas.get(entry["url"], headers)
            sent = received.headers.get("content-encoding", "identity")
            stored = entry if sent == "identity" else entry["codings"].get(sent)
            if stored is not None:
                assert received.body == (mirror / "files" / stored["file"]).read_bytes(), entry[
                    "url"
                ]
            tags.add((sent, received.headers["etag"]))
        assert len({tag for _, tag in tags}) == len(tags), "a tag belongs to one representation"
