"""Replicas behind HAProxy, each on a host of its own: rollouts and failures under load."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, SEED
from tests.deploy import balancer
from tests.deploy.network import Network, open_network
from tests.support.releases import corrected_seed

pytestmark = [pytest.mark.process, pytest.mark.proxy]

REPLICAS = ("replica-1", "replica-2", "replica-3")
PORT = 8_000
TIMEOUT_SECONDS = 240.0
STEPS = {"walks": 3, "revalidations": 60, "downloads": 3}
"""How much each kind of client does before what follows an event is over."""

Json = dict[str, Any]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {TIMEOUT_SECONDS} s: {what}")
        time.sleep(0.02)


class Load:
    """The clients, as a program on a host of their own.

    Attributes:
        report: Their last report.
    """

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log
        )
        self.report: Json = dict.fromkeys(STEPS, 0)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                self.report = json.loads(line)

    def proceed(self) -> None:
        """Wait until each kind of client has done several things more."""
        before = self.report
        expected = {name: before[name] + steps for name, steps in STEPS.items()}
        wait_until(
            lambda: (
                self.process.poll() is not None
                or all(self.report[name] >= number for name, number in expected.items())
            ),
            f"clients go on, {before}",
        )
        assert self.process.poll() is None, Path(self._log.name).read_text("utf-8")

    def stop(self) -> Json:
        """End the clients; their last report."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=TIMEOUT_SECONDS)
        self._reader.join()
        self._log.close()
        return self.report


class Cluster:
    """Replicas on hosts of their own, HAProxy and clients, on one more host each."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.control = folder / "control"
        (folder / "corrected").mkdir()
        self.seeds = {"old": SEED, "new": corrected_seed(folder / "corrected").path}
        self.log = (folder / "server.log").open("wb")

    def start(self, replica: str, release: str) -> None:
        """Start a replica of a release, which compiles the record and its exports itself."""
        archive = self.folder / f"{replica}-{release}" / "archive.sqlite"
        archive.parent.mkdir(exist_ok=True)
        settings = {
            "HOST": self.network.addresses[replica],
            "PORT": str(PORT),
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
        addresses = {name: f"{self.network.addresses[name]}:{PORT}" for name in REPLICAS}
        listen = f"{self.network.addresses['balancer']}:8080"
        shipped = self.folder / "haproxy.cfg"
        shipped.write_text(balancer.with_addresses(addresses, listen), "utf-8")
        control = self.folder / "control.cfg"
        control.write_text(f"global\n    stats socket {self.control}\n", "utf-8")
        command = self.network.command("balancer", *balancer.command(shipped, control))
        self.processes["balancer"] = self._run(command, {})

    def start_load(self) -> Load:
        """Start the clients."""
        files = []
        for release, seed in self.seeds.items():
            (self.folder / f"truth-{release}").mkdir()
            files += [str(seed), str(self.folder / f"truth-{release}" / "archive.sqlite")]
        url = f"http://{self.network.addresses['balancer']}:8080"
        python = (sys.executable, "-m", "tests.deploy.load")
        command = self.network.command("clients", *python, url, *files)
        return Load(command, self.folder / "load.log")

    def _run(self, command: list[str], settings: dict[str, str]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **settings}
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=self.log, stderr=self.log
        )

    def status(self, replica: str) -> str:
        """What HAProxy says of a replica, such as `UP` or `DOWN`."""
        with socket.socket(socket.AF_UNIX) as control:
            try:
                control.connect(str(self.control))
            except OSError:
                return "unknown"
            control.sendall(b"show stat\n")
            text = b"".join(iter(lambda: control.recv(65_536), b"")).decode()
        rows = csv.DictReader(text.removeprefix("# ").splitlines())
        [status] = [row["status"] for row in rows if row["svname"] == replica]
        return status

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
        self.log.close()


@contextmanager
def open_cluster(folder: Path) -> Iterator[Cluster]:
    """Three replicas of the shipped record behind HAProxy."""
    with ExitStack() as stack:
        network = stack.enter_context(open_network(*REPLICAS, "balancer", "clients"))
        cluster = Cluster(network, folder)
        stack.callback(cluster.close)
        for replica in REPLICAS:
            cluster.start(replica, "old")
        cluster.start_balancer()
        for replica in REPLICAS:
            cluster.wait_for(replica, "UP")
        yield cluster


def test_clients_notice_nothing(tmp_path: Path) -> None:
    """A rollout and back, a killed replica and one that hangs: no request fails.

    No page of a walk is lost or doubled, each response is the one of the release that it names, and
    downloads are resumed on other replicas. Only what a killed or hanging replica had begun to send
    is cut.
    """
    with open_cluster(tmp_path) as cluster:
        load = cluster.start_load()
        try:
            load.proceed()
            assert len(load.report["releases"]) == 1
            for release in ("new", "old"):
                for replica in REPLICAS:
                    cluster.replace(replica, release)
                load.proceed()
            rolled_out = load.report
            fail_two_replicas(cluster, load)
        finally:
            report = load.stop()
    assert report["failures"] == []
    assert rolled_out["cut"] == 0
    assert report["cut"] <= 18  # of two replicas, what nine clients were reading
    assert len(report["releases"]) == 2
    assert report["mixed_walks"]
    assert report["restarted"]
    assert report["not_modified"]
    assert report["resumed"]


def fail_two_replicas(cluster: Cluster, load: Load) -> None:
    """Let one replica hang; kill and start another meanwhile; then let the first one go on."""
    killed, hanging, _ = REPLICAS
    stopped = time.monotonic()
    cluster.processes[hanging].send_signal(signal.SIGSTOP)
    cluster.wait_for(hanging, "DOWN")
    cluster.processes[killed].kill()
    cluster.wait_for(killed, "DOWN")
    load.proceed()
    cluster.processes[killed].wait(timeout=TIMEOUT_SECONDS)
    cluster.start(killed, "old")
    cluster.wait_for(killed, "UP")
    given_up = balancer.seconds(balancer.CONFIGURATION.read_text("utf-8"), "timeout server")
    wait_until(
        lambda: load.report["oldest_seconds"] < 1 and time.monotonic() - stopped > given_up,
        "requests to the replica that hangs are sent to another one",
    )
    cluster.processes[hanging].send_signal(signal.SIGCONT)
    cluster.wait_for(hanging, "UP")
    load.proceed()
