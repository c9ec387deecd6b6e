"""The API on a loopback port, with what caches do to an origin: releases, failures, requests."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from app.archive.release import build_if_stale
from tests.caches.tap import Tap
from tests.conftest import ROOT, SeedCopy
from tests.support.history import publish_all
from tests.support.ports import free_port
from tests.support.serving import TIMEOUT_SECONDS

_numbers = itertools.count(1)


class Response(NamedTuple):
    """A response as received. The body is still encoded, unless a client library decoded it.

    Attributes:
        status: Status code.
        headers: By lower-case name; the values of a repeated header are joined by commas.
        body: Content.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def tag(self) -> str:
        """Entity tag without its weakness."""
        return self.headers.get("etag", "").removeprefix("W/")


def new_request_id(sender: str = "direct") -> str:
    """An `X-Request-Id` that no other request has; its requests at the origin are found by it."""
    return f"{_prefix(sender)}{os.getpid()}-{next(_numbers)}"


def _prefix(sender: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", ".", sender) + ":"


def fetch(
    url: str, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> Response:
    """Send one request on a connection of its own, with no other headers than these."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(
        str(address.hostname), address.port, timeout=TIMEOUT_SECONDS
    )
    with contextlib.closing(connection):
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        received: dict[str, str] = {}
        for name, value in response.getheaders():
            key = name.lower()
            received[key] = f"{received[key]}, {value}" if key in received else value
        return Response(response.status, received, response.read())


class Origin:
    """`cpc-record serve` on one port, which a test can stop, start and give another release.

    Attributes:
        url: Address.
        max_age: `MAX_AGE`, in seconds.
    """

    def __init__(self, folder: Path, max_age: int) -> None:
        self._port = free_port()
        self._tap = Tap(free_port(), self._port)
        self.url, self.max_age = f"http://127.0.0.1:{self._port}", max_age
        self._seed, self._archive = SeedCopy(folder), folder / "archive.sqlite"
        build_if_stale(self._seed.path, self._archive)
        self._process: subprocess.Popen[bytes] | None = None
        self._known: dict[tuple[str, str], list[Response]] = {}

    @property
    def address(self) -> str:
        """Host and port for caches, whose requests are remembered."""
        return f"127.0.0.1:{self._tap.port}"

    def start(self) -> None:
        """Serve, and wait until requests are answered."""
        environment = {
            "PORT": str(self._port),
            "SEED_FILE": str(self._seed.path),
            "ARCHIVE_FILE": str(self._archive),
            "MAX_AGE": str(self.max_age),
            "LOG_LEVEL": "error",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._is_ready, "the origin responds")
        self._tap.open()

    def stop(self) -> None:
        """Stop serving; connections are refused afterwards."""
        self._tap.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=TIMEOUT_SECONDS)
            self._process = None

    def change_release(self) -> None:
        """Correct a summary and a title, build, and wait until the new release is served."""
        before = self.release()
        for pointer in ("/objectives/0/summary", "/awards/0/title"):
            kind, number, field = pointer.strip("/").split("/")
            text = self._seed.data[kind][int(number)][field]
            self._seed.put(pointer, f"{text} (revised)")
        self._seed.write()
        build_if_stale(self._seed.path, self._archive)
        wait_until(lambda: self.release() != before, "the new release is served")

    def publish(self, label: str) -> None:
        """Publish the made-up history up to a release, and wait until a server has it."""
        publish_all(self._seed.path.parent, self._seed.data, label)
        build_if_stale(self._seed.path, self._archive)
        if self._process is not None:
            wait_until(lambda: self._label() == label, f"release {label} is served")

    def _label(self) -> str:
        return str(json.loads(self.direct("/v1/meta").body)["data"]["release_label"])

    def release(self) -> str:
        """The release that is served."""
        return fetch(self.url, "/v1/meta").headers["x-data-release"]

    def direct(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> Response:
        """The origin's own response."""
        return fetch(self.url, path, headers, method)

    def learn(self, path: str, accept: str | None = None) -> None:
        """Remember the current representations of a path, one in each coding."""
        known = self._known.setdefault((path, accept or ""), [])
        for coding in ("identity", "gzip", "br", "zstd"):
            headers = {"Accept-Encoding": coding} | ({"Accept": accept} if accept else {})
            response = self.direct(path, headers)
            assert response.status == 200
            known.append(response)

    def known(self, path: str, accept: str | None = None) -> list[Response]:
        """Every representation of a path in any coding and any release that was learned."""
        if (path, accept or "") not in self._known:
            self.learn(path, accept)
        return self._known[path, accept or ""]

    def requests(self, request_id: str) -> list[dict[str, str]]:
        """Headers of the requests with an id, as they arrived; see `Tap.requests`."""
        return [head for head in self._tap.requests() if head.get("x-request-id") == request_id]

    def all_requests(self) -> list[dict[str, str]]:
        """Headers of all requests of caches; see `Tap.requests`."""
        return self._tap.requests()

    def requests_from(self, sender: str) -> list[dict[str, str]]:
        """All requests with ids of a sender; see `new_request_id`."""
        prefix = _prefix(sender)
        heads = self._tap.requests()
        return [head for head in heads if head.get("x-request-id", "").startswith(prefix)]

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            pytest.fail(f"the origin ended with exit code {self._process.returncode}")
        try:
            return self.direct("/readyz").status == 200
        except OSError:
            return False


@contextmanager
def running_origin(max_age: int, label: str | None = None) -> Iterator[Origin]:
    """A running origin on a copy of the shipped record, or on a release of the made-up history."""
    with open_directory() as folder:
        origin = Origin(folder, max_age)
        if label is not None:
            origin.publish(label)
        try:
            origin.start()
            yield origin
        finally:
            origin.stop()


@contextmanager
def open_directory() -> Iterator[Path]:
    """A temporary directory that programs without privileges can read and write as well."""
    folder = Path(tempfile.mkdtemp(prefix="record-caches-"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(condition: Callable[[], bool], meaning: str) -> None:
    """Wait for a condition; after a minute the test fails.

    Raises:
        pytest.fail.Exception: The condition was not met in time.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {TIMEOUT_SECONDS} seconds: {meaning}")
        time.sleep(0.05)
