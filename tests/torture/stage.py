"""Where a scenario is acted out: a folder, a record, chance, and servers of its own."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
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
from tests.torture.wire import Reply, get

ROOT = Path(__file__).parent.parent.parent
KEPT = ROOT / ".venv" / "torture"
"""Where corpora are kept for the next run."""
HOST = "127.0.0.1"
_PATIENCE = 300.0
_SIZES = {"shipped": 0, "large": 100_000}
_PAGES = (
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
_WHOLE = "/v1/record"


class NotHeld(Exception):
    """A promise was broken; the message says how."""


class NotRun(Exception):
    """A scenario cannot be acted out here; the message says why."""


def hold(held: bool, broken: str) -> None:
    """Go on only where a promise was kept.

    Raises:
        NotHeld: It was not.
    """
    if not held:
        raise NotHeld(broken)


def corpus(name: str) -> Path:
    """Folder of a record's seed and archive, made once and kept."""
    digest = sha256((ROOT / "benchmarks" / "corpus.py").read_bytes()).hexdigest()[:12]
    folder = KEPT / (name if not _SIZES[name] else f"{name}-{digest}")
    if not _SIZES[name]:
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("seed.json", "regions.geojson"):
            shutil.copy2(ROOT / "data" / file, folder / file)
    elif not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        write_corpus(unfinished, _SIZES[name])
        unfinished.rename(folder)
    build_if_stale(folder / "seed.json", folder / "archive.sqlite")
    return folder


@dataclass(slots=True)
class Server:
    """A server that runs.

    Attributes:
        process: The process that was started, whose children may do the answering.
        port: Where it listens.
        log: File of what it says.
    """

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def get(self, target: str | bytes, *headers: str) -> Reply:
        """Its answer to GET."""
        return get(self.port, target, *headers)

    def answers(self) -> None:
        """Make sure that it answers the next request.

        Raises:
            NotHeld: It does not.
        """
        reply = self.get("/v1/meta")
        hold(reply.status == 200, f"the next request is answered {reply.status}")

    def wait(self) -> bool:
        """Wait until it answers; False where it ended instead.

        Raises:
            NotHeld: It does neither.
        """
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            try:
                if self.get("/readyz").status == 200:
                    return True
            except OSError:
                time.sleep(0.02)
        raise NotHeld(f"no answer and no end in {_PATIENCE:g} s")

    def said(self) -> str:
        """What it said so far."""
        return self.log.read_text("utf-8", "replace")

    def stop(self) -> int:
        """End it, as a supervisor does, and return its exit code.

        Raises:
            NotHeld: It had to be killed.
        """
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise NotHeld("it does not stop in 20 s") from None


@dataclass(slots=True)
class Stage:
    """What a scenario has at hand.

    Attributes:
        folder: Empty, its own, removed afterwards.
        corpus: Folder of the record; not to be changed.
        name: Which record it is.
        chance: All that is random comes from it.
        quick: Whether few rounds do.
    """

    folder: Path
    corpus: Path
    name: str
    chance: random.Random
    quick: bool
    _logs: Iterator[int] = field(default_factory=lambda: iter(range(10_000)))

    @property
    def seed(self) -> Path:
        """The record."""
        return self.corpus / "seed.json"

    @property
    def large(self) -> bool:
        """Whether the record is the large one."""
        return bool(_SIZES[self.name])

    def rounds(self, shipped: int, large: int, quick: int) -> int:
        """How often something is done."""
        if self.quick:
            return quick
        return large if self.large else shipped

    def copy(self) -> Path:
        """A folder with a seed, outlines and archive that may be spoiled."""
        folder = self.folder / f"copy-{next(self._logs)}"
        shutil.copytree(self.corpus, folder, ignore=shutil.ignore_patterns("page-*", "*exports*"))
        return folder

    def start(self, seed: Path, archive: Path, *command: str, **settings: str) -> Server:
        """Start a server that nobody has waited for."""
        port = free_port()
        log = self.folder / f"server-{next(self._logs)}.log"
        files = {"SEED_FILE": str(seed), "ARCHIVE_FILE": str(archive), "PORT": str(port)}
        with log.open("wb") as said:
            process = subprocess.Popen(
                command or (sys.executable, "-m", "app", "serve"),
                cwd=ROOT,
                env={**os.environ, **files, "ACCESS_LOG": "false", **settings},
                stdout=said,
                stderr=subprocess.STDOUT,
            )
        return Server(process, port, log)

    @contextmanager
    def serving(
        self, seed: Path | None = None, archive: Path | None = None, **settings: str
    ) -> Iterator[Server]:
        """A server that answers, stopped afterwards.

        Raises:
            NotHeld: It does not start, or does not stop.
        """
        server = self.start(
            seed or self.seed, archive or self.corpus / "archive.sqlite", **settings
        )
        try:
            hold(server.wait(), f"the server ended: {server.said()[-500:]}")
            yield server
        except BaseException:
            server.process.kill()
            raise
        server.stop()

    def pages(self, server: Server) -> dict[str, str]:
        """Digest of each page that tells much of the record."""
        wanted = (*_PAGES, *(() if self.large else (_WHOLE,)))
        return {target: whole(server.get(target), target) for target in wanted}


def whole(reply: Reply, target: str) -> str:
    """Digest of an answer that must be a success, with its tag.

    Raises:
        NotHeld: It is none.
    """
    hold(reply.status == 200, f"{target}: {reply.status}")
    hold(reply.whole, f"{target}: cut short")
    return f"{reply.header('etag')} {sha256(reply.body).hexdigest()}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
