"""A static mirror under nginx against the live server: every URL, and one of each kind."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from benchmarks import systems
from benchmarks.fetch import Response, fetch
from benchmarks.load import Load
from benchmarks.measurements import Benchmark
from benchmarks.servers import running
from benchmarks.tools import ROOT

LIST = "/v1/awards"
_GZIP = {"Accept-Encoding": "gzip"}
"""The content coding that nearly every client accepts."""
_DIFFERENT = {"/"}
"""URLs where the live server negotiates and a mirror always serves the HTML page."""
_COMPARED_HEADERS = (
    "content-type",
    "cache-control",
    "x-data-release",
    "link",
    "access-control-allow-origin",
)


def measure(benchmark: Benchmark) -> None:
    """Measure requests per second."""
    folder = _freeze(benchmark.small)
    with ExitStack() as stack:
        live = stack.enter_context(running(systems.cpc_record(benchmark.small)))
        mirror = stack.enter_context(running(systems.nginx_mirror(folder)))
        urls = benchmark.small / "mirrored.txt"
        urls.write_text("\n".join(_identical_urls(benchmark, folder, live, mirror)), "utf-8")
        item = f"{LIST}/{fetch(live, LIST).json()['data'][0]['id']}"
        loads: dict[str, Load] = {}
        for name, base_url in (("live", live), ("mirror", mirror)):
            conditional = {"If-None-Match": fetch(base_url, LIST).header("etag")}
            not_modified = fetch(base_url, LIST, conditional).status == 304
            statement = f"{name}: If-None-Match with the current ETag gives 304."
            benchmark.measurements.check(not_modified, statement)
            loads |= {
                f"{name}, every URL": Load(base_url, "{line}", headers=_GZIP, lines=urls),
                f"{name}, list in gzip": Load(base_url, LIST, headers=_GZIP),
                f"{name}, list": Load(base_url, LIST),
                f"{name}, item": Load(base_url, item),
                f"{name}, 304": Load(base_url, LIST, headers=conditional),
            }
        benchmark.run_interleaved(loads)


def _identical_urls(benchmark: Benchmark, folder: Path, live: str, mirror: str) -> list[str]:
    """URLs of a mirror that are expected to be identical to the live server, checked.

    Raises:
        AssertionError: A response differs, or more URLs than expected had to be left out.
    """
    lines = (folder / "manifest.ndjson").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    complete = [entry["url"] for entry in entries if "note" not in entry]
    urls = [url for url in complete if url not in _DIFFERENT]
    for url in urls:
        if not _are_equal(fetch(live, url), fetch(mirror, url)):
            raise AssertionError(f"check failed: {url} is identical under nginx and live")
    benchmark.measurements.check(
        len(urls) > len(entries) - 10,
        f"Body and headers of {len(urls):,} mirrored URLs under nginx equal the live ones.",
    )
    return urls


def _are_equal(live: Response, mirrored: Response) -> bool:
    """Whether responses are the same; a mirror has no format to negotiate, so varies by less."""
    vary = live.header("vary").removeprefix("Accept, ")
    return _compared(live) == _compared(mirrored) and vary == mirrored.header("vary")


def _compared(response: Response) -> tuple[object, ...]:
    headers = (response.header(name) for name in _COMPARED_HEADERS)
    return response.status, *headers, response.body


def _freeze(corpus: Path) -> Path:
    """Write a static mirror of a compiled corpus next to it."""
    folder = corpus / "mirror"
    files = ["--seed", str(corpus / "seed.json"), "--archive", str(corpus / "archive.sqlite")]
    command = [sys.executable, "-m", "app", "freeze", str(folder), *files]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder
