"""Replicas on hosts of their own, behind HAProxy, which is configured as it is shipped."""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import ROOT, SEED
from tests.deploy import balancer
from tests.deploy.network import Network, open_network
from tests.support.releases import corrected_seed

REPLICAS = ("replica-1", "replica-2", "replica-3")
TIMEOUT_SECONDS = 240.0
_PORT = 8_000


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {TIMEOUT_SECONDS} s: {what}")
        time.sleep(0.02)


class Cluster:
    """Replicas on hosts of their own, and HAProxy on another; one more is for clients.

    Attributes:
        network: The hosts.
        folder: Directory for all files.
        seeds: Seeds of two releases of the record, `old` and `new`.
        processes: The replicas and HAProxy.
    """

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._control = folder / "control"
        (folder / "corrected").mkdir()
        self.seeds = {"old": SEED, "new": corrected_seed(folder / "corrected").path}
        self._log = (folder / "server.log").open("wb")

    def start(self, replica: str, release: str) -> None:
        """Start a replica of a release, which compiles the record and its exports itself."""
        archive = self.folder / f"{replica}-{release}" / "archive.sqlite"
        archive.parent.mkdir(exist_ok=True)
        settings = {
            "HOST": self.network.addresses[replica],
            "PORT": str(_PORT),
            "SEED_FILE": str(self.seeds[release]),
            "ARCHIVE_FILE": str(archive),
            "DRAIN_SECONDS": "300",
            "ACCESS_LOG": "false",
        }
        self.processes[replica] = self._run(
            self.network.command(replica, sys.executable, "-m", "app", "serve"), settings
        )

    def start_balancer(self) -> None:
        """Start HAProxy as it is shipped, with the addresses of the replicas."""
        names = [name for name in self.processes if name in REPLICAS]
        addresses = {name: f"{self.network.addresses[name]}:{_PORT}" for name in names}
        listen = f"{self.network.addresses['balancer']}:8080"
        shipped = self.folder / "haproxy.cfg"
        shipped.write_text(balancer.with_addresses(addresses, listen), "utf-8")
        control = self.folder / "control.cfg"
        control.write_text(f"global\n    stats socket {self._control}\n", "utf-8")
        command = self.network.command("balancer", *balancer.command(shipped, control))
        self.processes["balancer"] = self._run(command, {})

    @property
    def url(self) -> str:
        """Address of HAProxy, for clients within the network."""
        return f"http://{self.network.addresses['balancer']}:8080"

    def _run(self, command: list[str], settings: dict[str, str]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **settings}
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self._log, stderr=self._log
        )

    def status(self, replica: str) -> str:
        """What HAProxy says of a replica, such as `UP` or `DOWN`, once it has checked it."""
        with socket.socket(socket.AF_UNIX) as control:
            try:
                control.connect(str(self._control))
            except OSError:
                return "unknown"
            control.sendall(b"show stat\n")
            text = b"".join(iter(lambda: control.recv(65_536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        [row] = [row for row in rows if row["svname"] == replica]
        unchecked = row["status"] == "UP" and not row["check_status"].endswith("L7OK")
        return "unknown" if unchecked else row["status"]

    def wait_for(self, replica: str, status: str) -> None:
        """Wait until HAProxy says this of a replica."""
        wait_until(lambda: self.status(replica) == status, f"{replica} is {status}")

    def replace(self, replica: str, release: str) -> None:
        """Stop a replica gracefully, and start it with another release."""
        process = self.processes[replica]
        process.send_signal(signal.SIGTERM)
        self.wait_for(replica, "DOWN")
        process.send_signal(signal.SIGTERM)  # drained long enough
        assert process.wait(timeout=TIMEOUT_SECONDS) == 0
        self.start(replica, release)
        self.wait_for(replica, "UP")

    def close(self) -> None:
        """End everything."""
        for process in self.processes.values():
            process.kill()
            process.wait(timeout=TIMEOUT_SECONDS)
        self._log.close()


@contextmanager
def open_cluster(folder: Path, replicas: Sequence[str] = REPLICAS) -> Iterator[Cluster]:
    """Replicas of the shipped record behind HAProxy, all ready."""
    with ExitStack() as stack:
        network = stack.enter_context(open_network(*replicas, "balancer", "clients"))
        cluster = Cluster(network, folder)
        stack.callback(cluster.close)
        for replica in replicas:
            cluster.start(replica, "old")
        cluster.start_balancer()
        for replica in replicas:
            cluster.wait_for(replica, "UP")
        yield cluster
