"""This version against an earlier one, as both are served by default and without a log."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from benchmarks import corpora, earlier, systems
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Benchmark
from benchmarks.scenarios import uncached
from benchmarks.scenarios.compile import COMPILE
from benchmarks.scenarios.startup import start_once
from benchmarks.servers import Server, running
from benchmarks.tools import CLIENT_CORE, ROOT, SERVER_CORE

LIST = "/v1/awards?limit=20"
COMPILED_RESOURCES = 20_000
VERSIONS = ("", f", {earlier.COMMIT}")
"""Suffixes of the names of measurements."""
LOGS: dict[Literal["", "console", "json"], str] = {
    "console": "default",
    "json": "JSON log",
    "": "no log",
}
"""The access logs that are compared, and their names in the report."""


def measure(benchmark: Benchmark) -> None:
    """Measure requests, starting and compiling of both versions in turn."""
    earlier.install()
    _measure_requests(benchmark)
    _measure_starting(benchmark)
    _measure_compiling(benchmark)


def _measure_requests(benchmark: Benchmark) -> None:
    with ExitStack() as stack:
        loads: dict[str, Load] = {}
        folders = benchmark.small, earlier.generated(500)
        for version, corpus in zip(VERSIONS, folders, strict=True):
            for log, name in LOGS.items():
                url = stack.enter_context(running(_server(version, corpus, log)))
                loads[f"list, {name}{version}"] = Load(url, LIST)
                if log == "console":
                    loads |= _other_responses(url, version)
            size = len(fetch(url, LIST).body)
            benchmark.measurements.add(f"size of the list{version}", size, "bytes")
            url = stack.enter_context(running(_server(version, corpus, "console", cache=False)))
            loads |= _cold_responses(url, corpus, version)
        today = fetch(loads["list, default"].base_url, LIST)
        saved = today.save(benchmark.small / "default-list")
        bare = systems.asgi_peer("bare_asgi", "/", RESPONSE_FILE=str(saved))
        loads["list, bare ASGI"] = Load(stack.enter_context(running(bare)), "/")
        benchmark.run_interleaved(loads)


def _measure_starting(benchmark: Benchmark) -> None:
    folders = benchmark.shipped, earlier.shipped()
    for _ in range(max(benchmark.rounds, 3)):
        for version, folder in zip(VERSIONS, folders, strict=True):
            milliseconds, mebibytes = start_once(_server(version, folder, ""))
            benchmark.measurements.add(f"start{version}", milliseconds, "ms")
            benchmark.measurements.add(f"memory at start{version}", mebibytes, "MiB")


def _measure_compiling(benchmark: Benchmark) -> None:
    """Compile a generated corpus on both cores."""
    folders = corpora.generated(COMPILED_RESOURCES), earlier.generated(COMPILED_RESOURCES)
    commands = [sys.executable, "-c", COMPILE], [str(earlier.PYTHON), "-c", earlier.COMPILE]
    cores = f"{SERVER_CORE},{CLIENT_CORE}"
    for _ in range(min(benchmark.rounds, 5)):
        for version, folder, command in zip(VERSIONS, folders, commands, strict=True):
            target = folder / "compiled.sqlite"
            start = time.perf_counter()
            subprocess.run(
                ["taskset", "-c", cores, *command, str(folder / "seed.json"), str(target)],
                cwd=earlier.FOLDER if version else ROOT,
                check=True,
            )
            rate = COMPILED_RESOURCES / (time.perf_counter() - start)
            benchmark.measurements.add(f"resources compiled{version}", rate, "/s")
            target.unlink()


def _server(
    version: str, corpus: Path, log: Literal["", "console", "json"], *, cache: bool = True
) -> Server:
    server = systems.cpc_record(corpus, log=log, cache=cache)
    return earlier.server(server) if version else server


def _other_responses(url: str, version: str) -> dict[str, Load]:
    """Loads of cached responses in the default configuration."""
    response = fetch(url, LIST)
    item = f"/v1/awards/{response.json()['data'][0]['id']}"
    unchanged = {"If-None-Match": response.header("etag")}
    return {
        f"list in zstd, default{version}": Load(url, LIST, headers={"Accept-Encoding": "zstd"}),
        f"item, default{version}": Load(url, item),
        f"304, default{version}": Load(url, LIST, headers=unchanged),
    }


def _cold_responses(url: str, corpus: Path, version: str) -> dict[str, Load]:
    """Loads of responses that are rendered for every request."""
    page = fetch(url, "/v1/awards?limit=1000").json()
    ids = corpus / "award-ids.txt"
    ids.write_text("\n".join(award["id"] for award in page["data"]), "utf-8")
    return {
        f"cold list, default{version}": Load(url, uncached.CPC_RECORD),
        f"cold item, default{version}": Load(url, "/v1/awards/{line}", lines=ids),
    }
