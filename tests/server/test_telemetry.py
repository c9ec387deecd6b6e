"""Telemetry: off costs and needs nothing; on, every request is counted, kept answers too."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.server.telemetry import check_telemetry
from app.settings import ConfigurationError, Settings
from tests.conftest import ROOT, Start, run_cli
from tests.support.problem import assert_problem

AWARD = "/v1/awards/peru-ilo"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def counted(metrics: str) -> dict[str, float]:
    """How many requests there were, by status."""
    found = re.findall(
        r"^http_server_request_duration_seconds_count\{(.*)\} (\S+)$", metrics, re.MULTILINE
    )
    numbers: dict[str, float] = {}
    for labels, number in found:
        status = re.search(r'http_response_status_code="(\d+)"', labels)
        assert status
        numbers[status[1]] = numbers.get(status[1], 0) + float(number)
    return numbers


def test_prometheus_reads_every_request(start_server: Start, archive_file: Path) -> None:
    """`/metrics` counts first answers, kept ones, 304, errors and files, and is never kept."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), TELEMETRY="prometheus")
    before = counted(httpx.get(f"{url}/metrics").text)
    tags = {httpx.get(f"{url}{AWARD}").headers["etag"] for _ in range(5)}
    httpx.get(f"{url}{AWARD}", headers={"If-None-Match": tags.pop()})
    httpx.get(f"{url}/nowhere")
    httpx.get(f"{url}/v1/exports/record.sqlite")
    response = httpx.get(f"{url}/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["cache-control"] == "no-store"
    after = counted(response.text)
    assert after["200"] - before["200"] >= 5
    assert after["304"] == 1
    assert after["404"] >= 1
    assert httpx.get(f"{url}/v1/meta").status_code == 200


class Collector(ThreadingHTTPServer):
    """Takes what an exporter sends (OTLP over HTTP)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Intake)
        self.traces = ExportTraceServiceRequest()
        self.metrics = ExportMetricsServiceRequest()


class Intake(BaseHTTPRequestHandler):
    """One delivery."""

    server: Collector

    def do_POST(self) -> None:
        """Take a delivery in."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if self.path == "/v1/traces":
            self.server.traces.MergeFromString(body)
        elif self.path == "/v1/metrics":
            self.server.metrics.MergeFromString(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that runs."""
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


def test_a_collector_gets_traces_and_figures(start_server: Start, archive_file: Path) -> None:
    """Spans continue the caller's trace, kept answers have theirs, and figures come too."""
    with collecting() as collector:
        url, process = start_server(
            ARCHIVE_FILE=str(archive_file),
            TELEMETRY="otlp",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        )
        for _ in range(3):
            headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            assert httpx.get(f"{url}{AWARD}", headers=headers).status_code == 200
        process.terminate()
        assert process.wait(timeout=20) == 0
        spans = [
            span
            for group in collector.traces.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
            if span.kind == span.SPAN_KIND_SERVER and span.trace_id.hex() == TRACE
        ]
        assert len(spans) == 3
        names = {
            metric.name
            for group in collector.metrics.resource_metrics
            for scope in group.scope_metrics
            for metric in scope.metrics
        }
        assert "http.server.request.duration" in names


def test_it_is_off_unless_asked_for(server: str) -> None:
    """Without the setting there is no `/metrics`."""
    assert_problem(httpx.get(f"{server}/metrics"), 404)


def test_off_imports_nothing_of_the_extra() -> None:
    """The application starts without the SDK and the exporters."""
    code = (
        "import sys, app.main; "
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', "
        "'opentelemetry.exporter', 'prometheus_client', 'google.protobuf'))])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert said.stdout.strip() == b"[]"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"TELEMETRY": "prometheus", "WORKERS": "2"}, "WORKERS must be 1"),
        ({"TELEMETRY": "otlp"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"TELEMETRY": "on"}, "TELEMETRY is 'on'"),
    ],
)
def test_what_cannot_be_is_told(archive_file: Path, settings: dict[str, str], told: str) -> None:
    """A choice that cannot work ends in a sentence that says what would."""
    said = run_cli("serve", timeout=60, ARCHIVE_FILE=str(archive_file), **settings)
    assert said.returncode == 2
    assert told in said.stderr
    assert "Traceback" not in said.stderr


def test_what_it_takes_is_installed_from_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is absent what is told names the locked file, which is there."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    with pytest.raises(ConfigurationError, match="pip install --require-hashes -r") as told:
        check_telemetry(Settings(telemetry="otlp"))
    named = re.search(r"requirements[\w.-]*\.txt", str(told.value))
    assert named
    assert (ROOT / named[0]).exists()
