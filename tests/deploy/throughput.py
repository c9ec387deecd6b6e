"""Requests per second through HAProxy, with one replica and with three.

`python -m tests.deploy.throughput` as root, on an otherwise idle machine, with `wrk`. Clients,
HAProxy and replicas share the cores of one machine, so this shows what HAProxy costs, and that
replicas add up only as far as there are cores.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT, needs
from tests.deploy.cluster import REPLICAS, Cluster, open_cluster

SECONDS = 5
LOADS = {"cached": "/v1/awards", "uncached": "/v1/awards?announced__gte=1991&announced__lte={date}"}


def measure(cluster: Cluster, url: str, template: str, first: int) -> float:
    """Requests per second."""
    script = str(ROOT / "benchmarks" / "urls.lua")
    options = ("--threads", "1", "--connections", "32", "--duration", f"{SECONDS}s")
    wrk = (needs("wrk", "it sends requests"), *options, "--script", script, url, "--", template)
    command = cluster.network.command("clients", *wrk, str(first))
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    [(requests, microseconds, failed)] = re.findall(r"RESULT (\d+) (\d+) \d+ \d+ (\d+)", printed)
    if int(failed):
        raise SystemExit(f"{failed} requests failed")
    return int(requests) / int(microseconds) * 1e6


def main() -> None:
    """Print a line for each load."""
    results: dict[str, list[float]] = {name: [] for name in LOADS}
    for replicas in (REPLICAS[:1], REPLICAS):
        with (
            tempfile.TemporaryDirectory() as folder,
            open_cluster(Path(folder), replicas) as cluster,
        ):
            for name, template in LOADS.items():
                results[name].append(measure(cluster, cluster.url, template, 0))
                replica = f"http://{cluster.network.addresses[REPLICAS[0]]}:8000"
                if len(replicas) == 1:
                    results[name].append(measure(cluster, replica, template, 10**6))
    for load, (one, direct, three) in results.items():
        sys.stdout.write(
            f"{load}: {direct:,.0f}/s directly, {one:,.0f}/s through HAProxy with one replica, "
            f"{three:,.0f}/s with three ({three / one:.2f} times as many)\n"
        )


if __name__ == "__main__":
    main()
