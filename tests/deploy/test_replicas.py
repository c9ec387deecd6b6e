"""Replicas behind HAProxy, each on a host of its own: rollouts and failures under load."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.deploy import balancer
from tests.deploy.cluster import REPLICAS, TIMEOUT_SECONDS, Cluster, open_cluster, wait_until
from tests.support.tools_table import check_outcome

pytestmark = [pytest.mark.process, pytest.mark.proxy]

STEPS = {"walks": 3, "revalidations": 60, "downloads": 3}
"""How much each kind of client does before what follows an event is over."""

Json = dict[str, Any]


class Load:
    """The clients, as a program on a host of their own.

    Attributes:
        report: Their last report.
    """

    def __init__(self, cluster: Cluster) -> None:
        files = []
        for release, seed in cluster.seeds.items():
            (cluster.folder / f"truth-{release}").mkdir()
            files += [str(seed), str(cluster.folder / f"truth-{release}" / "archive.sqlite")]
        program = (sys.executable, "-m", "tests.deploy.load")
        command = cluster.network.command("clients", *program, cluster.url, *files)
        self._log = (cluster.folder / "load.log").open("wb")
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


def test_clients_notice_nothing(tmp_path: Path) -> None:
    """A rollout and back, a killed replica and one that hangs: no request fails.

    No page of a walk is lost or doubled, each response is the one of the release that it names, and
    downloads are resumed on other replicas. Only what a killed or hanging replica had begun to send
    is cut.
    """
    with open_cluster(tmp_path) as cluster:
        load = Load(cluster)
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
    version = balancer.version()
    for done in ("a rollout of three replicas and back, under load", "a killed and a hanging one"):
        check_outcome("deployment", "HAProxy", version, done, "no failed request, none mixed")


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
