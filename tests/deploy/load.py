"""Clients that page, revalidate and resume, and check each response against the release it names.

`python -m tests.deploy.load URL SEED ARCHIVE SEED ARCHIVE` runs them until its standard input ends.
Several times a second, it writes a line of JSON with what they have done so far (`Report`).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx

from tests.support.serving import client_for

WALKERS = REVALIDATORS = RESUMERS = 3
PAGE_SIZE = 15
PART_BYTES = 60_000
PATHS = (
    "/v1/awards",
    "/v1/awards/peru-ilo",
    "/v1/activities?include=award",
    "/v1/organizations/ilo",
    "/v1/organizations",
    "/v1/meta",
    "/v1/record",
    "/v1/search?q=lima",
    "/v1/citations?format=csv",
    "/v1/exports/awards.csv",
    "/",
)
"""What is revalidated."""
FILE = "/v1/exports/record.sqlite"
"""What is downloaded in parts."""
_COMPARED = (
    "etag",
    "content-type",
    "cache-control",
    "vary",
    "link",
    "x-data-release",
    "repr-digest",
)
_REPORT_SECONDS = 0.2
_PAUSE_SECONDS = 0.03
"""Pause of a client before a request, so that clients leave the replicas some processor time."""


@dataclass
class Report:
    """What the clients have done so far.

    Attributes:
        walks: Complete walks through the pages of a list.
        mixed_walks: Those with pages of two releases.
        revalidations: Responses to conditional requests.
        not_modified: Those with status 304.
        downloads: Complete downloads.
        resumed: Parts that continued a download.
        restarted: Downloads that started again, as the file was another one.
        cut: Responses whose connection was closed before they were complete.
        oldest_seconds: How long the oldest request has waited.
        releases: Number of responses of each release.
        failures: Everything that must not happen.
    """

    walks: int = 0
    mixed_walks: int = 0
    revalidations: int = 0
    not_modified: int = 0
    downloads: int = 0
    resumed: int = 0
    restarted: int = 0
    cut: int = 0
    oldest_seconds: float = 0.0
    releases: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class ConnectionCut(Exception):
    """A response whose connection was closed before it was complete."""


class Truth:
    """What each release responds, from applications in this process."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._responses: dict[tuple[str, str, str], httpx.Response] = {}
        self._citations: dict[str, list[str]] = {}

    async def add(self, client: httpx.AsyncClient) -> None:
        """Add the application of a release."""
        response = await client.get("/v1/citations?limit=1000")
        release = response.headers["x-data-release"]
        self._clients[release] = client
        self._citations[release] = [item["id"] for item in response.json()["data"]]

    @property
    def common_citations(self) -> set[str]:
        """Ids of citations that are in every release."""
        return set.intersection(*map(set, self._citations.values()))

    def page(self, release: str, after: str) -> list[str]:
        """Ids of the page that begins after an id."""
        return [id_ for id_ in self._citations[release] if id_ > after][:PAGE_SIZE]

    async def get(self, release: str, path: str, coding: str) -> httpx.Response:
        """The response of a release."""
        key = release, path, coding
        if key not in self._responses:
            headers = {"accept-encoding": coding}
            self._responses[key] = await self._clients[release].get(path, headers=headers)
        return self._responses[key]


class Clients:
    """Clients of one address.

    Attributes:
        report: What they have done so far.
    """

    def __init__(self, client: httpx.AsyncClient, truth: Truth) -> None:
        self._client, self._truth = client, truth
        self._waiting: dict[object, float] = {}
        self.report = Report()

    def update(self) -> Report:
        """The report, with how long requests have waited."""
        now = time.monotonic()
        waits = [now - started for started in self._waiting.values()]
        self.report.oldest_seconds = max(waits, default=0.0)
        return self.report

    def check(self, passed: bool, message: str) -> None:
        """Report a failure unless a check has passed."""
        if not passed and len(self.report.failures) < 100:
            self.report.failures.append(message)

    async def _send(
        self, path: str, coding: str, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send a request; the response must not be an error.

        Raises:
            ConnectionCut: Its connection was closed after the response had begun.
        """
        await asyncio.sleep(_PAUSE_SECONDS)
        token = object()
        self._waiting[token] = time.monotonic()
        begun = False
        try:
            request = {"accept-encoding": coding, **(headers or {})}
            async with self._client.stream("GET", path, headers=request) as response:
                begun = True
                await response.aread()
        except httpx.TransportError as error:
            if not begun:
                self.check(False, f"{path}: {error!r}")
            self.report.cut += begun
            raise ConnectionCut from error
        finally:
            del self._waiting[token]
        status, release = response.status_code, response.headers.get("x-data-release", "none")
        self.check(status in (200, 206, 304), f"{path}: status {status}: {response.text[:200]}")
        if status >= 500:
            raise ConnectionCut
        self.report.releases[release] = self.report.releases.get(release, 0) + 1
        return response

    async def _compare(self, response: httpx.Response, path: str, coding: str) -> str:
        """Check a complete response against the release that it names, which is returned."""
        release: str = response.headers["x-data-release"]
        expected = await self._truth.get(release, path, coding)
        self.check(response.content == expected.content, f"{path}: other content than {release}")
        for name in _COMPARED:
            found, wanted = response.headers.get(name), expected.headers.get(name)
            self.check(found == wanted, f"{path}: {name} {found}, not {wanted}")
        return release

    async def walk(self, coding: str) -> None:
        """Read a list page by page: each citation once, whichever releases the pages are from."""
        path: str | None = f"/v1/citations?limit={PAGE_SIZE}"
        seen: list[str] = []
        releases = set()
        while path is not None:
            response = await self._again(path, coding)
            release = await self._compare(response, path, coding)
            page = response.json()
            self.check(page["meta"]["release"] == release, f"{path}: two releases named")
            ids = [item["id"] for item in page["data"]]
            expected = self._truth.page(release, seen[-1] if seen else "")
            self.check(ids == expected, f"{path}: {ids}, not {expected}")
            seen += ids
            releases.add(release)
            path = page["links"]["next"]
        self.check(len(seen) == len(set(seen)), "a citation is twice in a walk")
        missing = self._truth.common_citations - set(seen)
        self.check(not missing, f"not in a walk: {sorted(missing)}")
        self.report.walks += 1
        self.report.mixed_walks += len(releases) > 1

    async def _again(self, path: str, coding: str) -> httpx.Response:
        """Send a request until its connection is not cut."""
        while True:
            try:
                return await self._send(path, coding)
            except ConnectionCut:
                await asyncio.sleep(0.05)

    async def revalidate(self, coding: str) -> None:
        """Request all paths again and again, with the entity tag of the last response."""
        tags: dict[str, str] = {}
        for path in cycle(PATHS):
            known = {"if-none-match": tags[path]} if path in tags else {}
            try:
                response = await self._send(path, coding, known)
            except ConnectionCut:
                continue
            if response.status_code == 304:
                expected = await self._truth.get(response.headers["x-data-release"], path, coding)
                self.check(expected.headers["etag"] == tags[path], f"{path}: modified since")
                self.report.not_modified += 1
            else:
                await self._compare(response, path, coding)
                self.check(
                    response.headers["etag"] != tags.get(path), f"{path}: sent although known"
                )
            tags[path] = response.headers["etag"]
            self.report.revalidations += 1

    async def resume(self, _coding: str) -> None:
        """Download a file in parts, each only if the file is still the same."""
        content, tag = b"", ""
        while True:
            headers = {"range": f"bytes={len(content)}-{len(content) + PART_BYTES - 1}"}
            if content:
                headers["if-range"] = tag
            try:
                response = await self._send(FILE, "identity", headers)
            except ConnectionCut:
                continue
            expected = await self._truth.get(response.headers["x-data-release"], FILE, "identity")
            if response.status_code == 200:
                await self._compare(response, FILE, "identity")
                self.report.restarted += 1
                return
            self.check(response.headers["etag"] == expected.headers["etag"], f"{FILE}: other tag")
            self.check(
                not tag or response.headers["etag"] == tag, f"{FILE}: a part of another file"
            )
            self.report.resumed += bool(content)
            tag = response.headers["etag"]
            content += response.content
            if len(content) == int(response.headers["content-range"].rpartition("/")[2]):
                same = hashlib.sha256(content).digest() == hashlib.sha256(expected.content).digest()
                self.check(same, f"{FILE}: damaged by resuming")
                self.report.downloads += 1
                return


async def _repeat(action: Callable[[str], Coroutine[Any, Any, None]], coding: str) -> None:
    while True:
        await action(coding)


async def _write_reports(clients: Clients) -> None:
    while True:
        print(json.dumps(asdict(clients.update())), flush=True)  # noqa: T201 - for the test
        await asyncio.sleep(_REPORT_SECONDS)


async def main(url: str, *files: str) -> None:
    """Run the clients until standard input ends."""
    async with AsyncExitStack() as stack:
        truth = Truth()
        for seed, archive in zip(files[::2], files[1::2], strict=True):
            client = await stack.enter_async_context(client_for(Path(seed), Path(archive)))
            await truth.add(client)
        limits = httpx.Limits(max_connections=100)
        client = httpx.AsyncClient(base_url=url, timeout=120, limits=limits, trust_env=False)
        clients = Clients(await stack.enter_async_context(client), truth)
        actions = [
            *[(clients.walk, coding) for coding in ("identity", "gzip", "br")[:WALKERS]],
            *[(clients.revalidate, coding) for coding in ("gzip", "identity", "br")[:REVALIDATORS]],
            *[(clients.resume, "identity")] * RESUMERS,
        ]
        tasks = [asyncio.create_task(_repeat(action, coding)) for action, coding in actions]
        tasks.append(asyncio.create_task(_write_reports(clients)))
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        done, _ = await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in done - {ended}:
            task.result()  # raises what ended it


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
