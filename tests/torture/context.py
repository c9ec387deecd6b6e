"""Resources of a scenario: a folder, a record, randomness, and servers that it starts."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from app.archive.release import build_if_stale
from benchmarks.corpus import write_corpus
from tests.support.ports import free_port
from tests.torture.raw_http import Response, get

ROOT = Path(__file__).parent.parent.parent
CACHE_FOLDER = ROOT / ".venv" / "torture"
"""Generated corpora are cached here between runs."""
HOST = "127.0.0.1"
_START_TIMEOUT_SECONDS = 300.0
_STOP_TIMEOUT_SECONDS = 20.0
_GENERATED_RESOURCES = {"shipped": 0, "large": 100_000}
_SAMPLE_TARGETS = (
    "/v1/partnerships?limit=1000",
    "/v1/awards?limit=1000&sort=-title&facet=region",
    "/v1/activities?limit=500&include=citations",
    "/v1/organizations?limit=1000&format=csv",
    "/v1/regions?format=geojson&limit=1000",
    "/v1/citations?limit=1000&facet=basis",
    "/v1/sources?limit=1000",
    "/v1/search?q=p",
    "/v1/meta",
)
_WHOLE_RECORD = "/v1/record"


class CheckFailed(Exception):
    """A promise was broken; the message says how."""


class Skipped(Exception):
    """A scenario cannot run on this system; the message says why."""


def check(condition: bool, message: str) -> None:
    """Assert that a promise is kept.

    Raises:
        CheckFailed: The condition is false.
    """
    if not condition:
        raise CheckFailed(message)


def prepare_corpus(name: str) -> Path:
    """Folder with the seed and archive of a record, built on first use and cached."""
    digest = sha256((ROOT / "benchmarks" / "corpus.py").read_bytes()).hexdigest()[:12]
    resources = _GENERATED_RESOURCES[name]
    folder = CACHE_FOLDER / (f"{name}-{digest}" if resources else name)
    if not resources:
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("seed.json", "regions.geojson"):
            shutil.copy2(ROOT / "data" / file, folder / file)
    elif not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_corpus(unfinished, resources)
        unfinished.rename(folder)
    build_if_stale(folder / "seed.json", folder / "archive.sqlite")
    return folder


@dataclass(slots=True)
class Server:
    """A running server.

    Attributes:
        process: The main process. Its children may be the ones that serve requests.
        port: Port it listens on.
        log: File with its output.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, target: str | bytes, *headers: str) -> Response:
        """The response to a GET request."""
        return get(self.port, target, *headers)

    def check_alive(self) -> None:
        """Check that the server handles another request.

        Raises:
            CheckFailed: It does not.
        """
        response = self.get("/v1/meta")
        check(response.status == 200, f"the next request got status {response.status}")

    def wait_until_ready(self) -> bool:
        """Wait until the server is ready. False if it exits instead.

        Raises:
            CheckFailed: The timeout has expired.
        """
        deadline = time.monotonic() + _START_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                if self.get("/readyz").status == 200:
                    return True
            except OSError:
                time.sleep(0.02)
        raise CheckFailed(f"the server was not ready within {_START_TIMEOUT_SECONDS:g} s")

    def output(self) -> str:
        """What the server has printed so far."""
        return self.log.read_text("utf-8", "replace")

    def stop(self) -> int:
        """Stop the server with SIGTERM, as a supervisor does, and return its exit code.

        Raises:
            CheckFailed: It had to be killed.
        """
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise CheckFailed(
                f"the server did not stop within {_STOP_TIMEOUT_SECONDS:g} s"
            ) from None


@dataclass(slots=True)
class ScenarioContext:
    """What a scenario works with.

    Attributes:
        folder: An empty folder for the scenario, deleted afterwards.
        corpus: Folder of the record, shared and read-only.
        name: Name of the record.
        rng: Source of all randomness.
        quick: Whether to run few rounds.
    """

    folder: Path
    corpus: Path
    name: str
    rng: random.Random
    quick: bool
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    @property
    def seed(self) -> Path:
        """Path of the seed file."""
        return self.corpus / "seed.json"

    @property
    def large(self) -> bool:
        """Whether the record is the large one."""
        return bool(_GENERATED_RESOURCES[self.name])

    def rounds(self, shipped: int, large: int, quick: int) -> int:
        """Number of repetitions, depending on the record and on `quick`."""
        if self.quick:
            return quick
        return large if self.large else shipped

    def copy_corpus(self) -> Path:
        """A writable copy of the seed, outlines and archive."""
        folder = self.folder / f"copy-{next(self._numbers)}"
        shutil.copytree(self.corpus, folder, ignore=shutil.ignore_patterns("page-*", "*exports*"))
        return folder

    def start_server(self, seed: Path, archive: Path, *command: str, **settings: str) -> Server:
        """Start a server without waiting until it is ready."""
        port = free_port()
        log = self.folder / f"server-{next(self._numbers)}.log"
        files = {"SEED_FILE": str(seed), "ARCHIVE_FILE": str(archive), "PORT": str(port)}
        with log.open("wb") as output:
            process = subprocess.Popen(
                command or (sys.executable, "-m", "app", "serve"),
                cwd=ROOT,
                env={**os.environ, **files, **settings},
                stdout=subprocess.DEVNULL,  # the access log
                stderr=output,
            )
        return Server(process, port, log)

    @contextmanager
    def serve(
        self, seed: Path | None = None, archive: Path | None = None, **settings: str
    ) -> Iterator[Server]:
        """Run a server while the context is open.

        Raises:
            CheckFailed: It does not start, or does not stop.
        """
        server = self.start_server(
            seed or self.seed, archive or self.corpus / "archive.sqlite", **settings
        )
        try:
            check(server.wait_until_ready(), f"the server exited: {server.output()[-500:]}")
            yield server
        except BaseException:
            server.process.kill()
            raise
        server.stop()

    def page_digests(self, server: Server) -> dict[str, str]:
        """Digests of pages that together cover most of the record, by target."""
        targets = (*_SAMPLE_TARGETS, *(() if self.large else (_WHOLE_RECORD,)))
        return {target: response_digest(server.get(target), target) for target in targets}


def response_digest(response: Response, target: str) -> str:
    """ETag and body digest of a successful response.

    Raises:
        CheckFailed: The response is not successful or not complete.
    """
    check(response.status == 200, f"{target}: {response.status}")
    check(response.is_complete, f"{target}: truncated")
    return f"{response.header('etag')} {sha256(response.body).hexdigest()}"
