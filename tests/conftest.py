"""The real record, through the real application, over ASGI and over a real server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.archive.archive import Archive
from app.archive.release import build_if_stale
from app.main import create_app
from app.models import RESOURCES
from app.seed.record import Record, load_record
from app.settings import Settings
from tests.support.ports import free_port
from tests.support.published import ENVIRONMENT

pytest_plugins = ["tests.support.needs"]

_HTTPX_TIMEOUT = httpx._config.DEFAULT_TIMEOUT_CONFIG
"""httpx's default of 5 s; a busy machine may take longer, and speed is not what tests check."""
_HTTPX_TIMEOUT.connect = _HTTPX_TIMEOUT.read = 120
_HTTPX_TIMEOUT.write = _HTTPX_TIMEOUT.pool = 120

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts programs in the background so, and what tests start would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).parent.parent
SEED = ROOT / "data" / "seed.json"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Uvicorn runs on asyncio, and so do the tests."""
    return "asyncio"


@pytest.fixture(scope="session")
def archive_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped record, compiled."""
    path = tmp_path_factory.mktemp("archive") / "archive.sqlite"
    build_if_stale(SEED, path)
    return path


@pytest.fixture(scope="session")
def record() -> Record:
    """The shipped record."""
    return load_record(SEED)


@pytest.fixture
def archive(archive_file: Path) -> Iterator[Archive]:
    """The shipped record's archive, open."""
    opened = Archive.open(archive_file)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
async def client(archive_file: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application on the shipped record, over ASGI."""
    app = create_app(Settings(seed_file=SEED, archive_file=archive_file))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as opened,
    ):
        yield opened


@pytest.fixture
def seed(tmp_path: Path) -> SeedCopy:
    """A copy of the shipped seed, to be spoiled."""
    return SeedCopy(tmp_path)


class SeedCopy:
    """A seed file that a test may change.

    Attributes:
        path: Where it is.
        data: What it holds; `write` writes it back.
    """

    def __init__(self, folder: Path) -> None:
        for name in ("seed.json", "regions.geojson"):
            shutil.copy(SEED.parent / name, folder / name)
        self.path = folder / "seed.json"
        self.data: dict[str, Any] = json.loads(self.path.read_text("utf-8"))

    def put(self, pointer: str, value: object) -> None:
        """Set what a JSON pointer names; a number one past the end of a list appends."""
        holder, key = self._holder(pointer)
        if isinstance(holder, list) and int(key) == len(holder):
            holder.append(value)
        else:
            holder[int(key) if isinstance(holder, list) else key] = value

    def take(self, pointer: str) -> None:
        """Remove what a JSON pointer names."""
        holder, key = self._holder(pointer)
        del holder[int(key) if isinstance(holder, list) else key]

    def cite(self, pointer: str, value: object, quote: str) -> None:
        """Set a field of a resource, and a quote beyond the end of the page as its evidence."""
        resource, _, field = pointer.rpartition("/")
        source = self.data["sources"][0]
        start = source["characters"]
        source["characters"] = source["bytes"] = start + len(quote)
        quoted = {"source": source["id"], "start": start, "end": start + len(quote)}
        evidence = {"basis": "stated", "quote": {**quoted, "exact": quote}}
        self.put(pointer, value)
        self.put(f"{resource}/evidence/{field}", [evidence])
        holder, key = self._holder(f"{resource}/not_stated")
        holder[key] = [name for name in holder[key] if name != field]

    def clear(self, *collections: str) -> None:
        """Remove all resources of some types, by default of every type."""
        for name in collections or [model.collection for model in RESOURCES]:
            self.data[name] = []
        if not self.data["regions"]:
            self.data["outlines"] = None

    def _holder(self, pointer: str) -> tuple[Any, str]:
        *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")]
        holder: Any = self.data
        for step in steps[1:]:
            holder = holder[int(step) if isinstance(holder, list) else step]
        return holder, last

    def write(self) -> Path:
        """Write the data back; the path is returned for convenience."""
        self.path.write_text(json.dumps(self.data, ensure_ascii=False), "utf-8")
        return self.path


def run_cli(
    *arguments: str, timeout: float = 180, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `python -m app` as a person would and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def wait_until_ready(url: str, process: subprocess.Popen[bytes], seconds: float = 180) -> None:
    """Wait until a server answers, or fail with what it said."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"the server ended with exit code {process.returncode}")
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"no answer from {url} in {seconds} seconds")


Start = Callable[..., tuple[str, subprocess.Popen[bytes]]]


@pytest.fixture(scope="session")
def start_server() -> Iterator[Start]:
    """Starts `cpc-record serve` with an environment; returns its address and process."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **environment: str) -> tuple[str, subprocess.Popen[bytes]]:
        port = free_port()
        process = subprocess.Popen(
            [part.format(port=port) for part in command] or [sys.executable, "-m", "app", "serve"],
            cwd=ROOT,
            env={**os.environ, "PORT": str(port), **environment},
        )
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(url, process)
        return url, process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)


@pytest.fixture(scope="session")
def server(start_server: Start, archive_file: Path) -> str:
    """Address of a real server on the shipped record, which gives every export."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), **ENVIRONMENT)
    return url


def needs(program: str, why: str) -> str:
    """Path of a program that a test needs; without it the test is skipped, in CI it fails."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is not installed: {why}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found
