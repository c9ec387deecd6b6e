"""One corpus of any size against the shipped record: compiling, starting, latency and memory.

It takes too long for every run, so it is a run of its own: `make bench BENCH="--corpus 1000000"`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks import corpora, systems
from benchmarks.comparisons import Comparison
from benchmarks.fetch import fetch
from benchmarks.load import Load
from benchmarks.measurements import Benchmark
from benchmarks.report import comparison_table, machine, measured_values
from benchmarks.scenarios.compile import compile_once
from benchmarks.scenarios.scale import check_third, count_matches, latency_loads
from benchmarks.scenarios.search import GENERATED_RARE_WORD, SHIPPED_RARE_WORD, rare_words
from benchmarks.scenarios.startup import resident_mebibytes, start_once
from benchmarks.servers import Server, stop

_SAMPLED_RESOURCES = 20_000
"""Resources from whose words the rare ones are taken."""
_START_ROUNDS = 5
_PROCESSOR_TIME = ", processor time"
_LATENCIES = (
    ("Item", "item", 1.5),
    ("Page at 90 % depth", "deep page", 1.5),
    ("List with a filter matching a third, uncached total", "filter matching a third", 8),
    ("Search for a rare word", "rare word", 2),
)
"""Label, name of the measurement and target of each latency's ratio to the shipped record."""
RATIOS = (
    *((f"{label}, p50", key, target) for label, key, target in _LATENCIES),
    *(
        (f"{label}, processor time of the server", f"{key}{_PROCESSOR_TIME}", target)
        for label, key, target in _LATENCIES
    ),
    ("Time to first response", "first response", None),
    ("Memory (RSS) at first response", "memory at start", None),
    ("Memory (RSS) after all loads", "memory after loads", None),
)
"""Label, name of the measurement and target of each ratio to the shipped record."""


def measure(benchmark: Benchmark, resources: int) -> str:
    """Measure a corpus and the shipped record in turn; returns the report as Markdown."""
    seed, name = corpora.generated_seed(resources), f"{resources:,}"
    busy = [os.getloadavg()[0]]
    _measure_compiling(benchmark, seed, resources)
    folders = {name: seed.parent, "shipped": benchmark.shipped}
    _measure_starting(benchmark, folders)
    _measure_latency(benchmark, folders)
    busy.append(os.getloadavg()[0])
    return "\n".join(_report(benchmark, name, busy)) + "\n"


def _measure_compiling(benchmark: Benchmark, seed: Path, resources: int) -> None:
    archive, add = seed.with_name("archive.sqlite"), benchmark.measurements.add
    compiled = compile_once(seed, archive)
    add("compile", compiled.seconds, "s")
    add("compile, processor time", compiled.processor_seconds, "s")
    add("compiled, per second of processor time", resources / compiled.processor_seconds, "/s")
    add("compile, peak memory (RSS)", compiled.peak_mebibytes, "MiB")
    add("seed file", seed.stat().st_size / 2**20, "MiB")
    add("archive", archive.stat().st_size / 2**20, "MiB")


def _measure_starting(benchmark: Benchmark, folders: Mapping[str, Path]) -> None:
    for _ in range(_START_ROUNDS):
        for name, folder in folders.items():
            milliseconds, mebibytes = start_once(systems.cpc_record(folder))
            benchmark.measurements.add(f"first response, {name}", milliseconds, "ms")
            benchmark.measurements.add(f"memory at start, {name}", mebibytes, "MiB")


def _measure_latency(benchmark: Benchmark, folders: Mapping[str, Path]) -> None:
    servers = {name: systems.cpc_record(folder, cache=False) for name, folder in folders.items()}
    with ExitStack() as stack:
        processes = {name: _start(server, stack) for name, server in servers.items()}
        matches = count_matches(servers["shipped"].base_url)
        loads: dict[str, Load] = {}
        for name, folder in folders.items():
            url = servers[name].base_url
            loads |= latency_loads(name, url, folder, matches)
            pattern = SHIPPED_RARE_WORD if name == "shipped" else GENERATED_RARE_WORD
            loads[f"rare word, {name}"] = rare_words(url, folder, pattern, _SAMPLED_RESOURCES)
            count = sum(fetch(url, "/v1/meta").json()["data"]["counts"].values())
            benchmark.measurements.add(f"items, {name}", count, "")
            if name != "shipped":
                check_third(benchmark, url)
        _run_loads(benchmark, loads, processes)
        for name, process_id in processes.items():
            memory = resident_mebibytes(process_id)
            benchmark.measurements.add(f"memory after loads, {name}", memory, "MiB")


def _run_loads(
    benchmark: Benchmark, loads: Mapping[str, Load], processes: Mapping[str, int]
) -> None:
    """Run all loads in each round, after a warm-up; measures latency and processor time.

    Processor time tells the corpora apart on a busy machine, too, where requests mostly wait.
    """
    for load in loads.values():
        load.run(1)
    for _ in range(benchmark.rounds):
        for name, load in loads.items():
            kind, _, corpus = name.partition(", ")
            process_id = processes[corpus]
            before = _processor_milliseconds(process_id)
            result = load.run(benchmark.seconds)
            spent = (_processor_milliseconds(process_id) - before) / result.requests
            benchmark.measurements.add(name, result.p50, "ms")
            benchmark.measurements.add(f"{kind}{_PROCESSOR_TIME}, {corpus}", spent, "ms")


def _processor_milliseconds(process_id: int) -> float:
    """Processor time that all threads of a process have taken."""
    threads = Path(f"/proc/{process_id}/task").iterdir()
    nanoseconds = (int((thread / "schedstat").read_text().split()[0]) for thread in threads)
    return sum(nanoseconds) / 1e6


def _start(server: Server, stack: ExitStack) -> int:
    """Start a server until the stack is closed; returns its process id."""
    process = server.start()
    stack.callback(stop, process)
    server.wait_until_ready(process)
    return process.pid


def _report(benchmark: Benchmark, name: str, busy: list[float]) -> Iterator[str]:
    yield f"# A corpus of {name} resources"
    yield ""
    yield (
        f'Written by `make bench BENCH="--corpus {name.replace(",", "")}"`: '
        f"{benchmark.rounds} rounds of {benchmark.seconds:g} s per load, interleaved, without "
        "cache, one request at a time. Ratios compare medians of this run. Resources are counted "
        "without their citations."
    )
    yield ""
    yield (
        f"{machine()} Load average at the start and at the end: {busy[0]:.1f} and {busy[1]:.1f} "
        f"on {os.cpu_count()} cores, of which this run keeps up to two busy; if it is higher, "
        "other programs took time from both corpora alike, and from compiling."
    )
    yield ""
    comparisons = [
        Comparison(label, "", f"{key}, {name}", f"{key}, shipped", "at most", target)
        for label, key, target in RATIOS
    ]
    yield from comparison_table(benchmark.measurements, comparisons)
    yield from measured_values(benchmark.measurements)
