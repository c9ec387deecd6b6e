"""Telemetry: off, it needs nothing; on, every request is counted, cached responses too."""

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

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.server.telemetry import check_telemetry
from app.settings import ConfigurationError, Settings
from tests.conftest import ROOT, Start
from tests.support.command_line import invoke_cli
from tests.support.problem import assert_problem
from tests.support.serving import TIMEOUT_SECONDS, fetch

AWARD = "/v1/awards/peru-ilo"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def request_counts(metrics: str) -> dict[str, float]:
    """Number of requests by status, from Prometheus' text format."""
    samples = re.findall(
        r"^http_server_request_duration_seconds_count\{(.*)\} (\S+)$", metrics, re.MULTILINE
    )
    counts: dict[str, float] = {}
    for labels, count in samples:
        status = re.search(r'http_response_status_code="(\d+)"', labels)
        assert status
        counts[status[1]] = counts.get(status[1], 0) + float(count)
    return counts


def test_prometheus_metrics_count_every_request(start_server: Start, archive_file: Path) -> None:
    """`/metrics` counts cached responses, 304s, errors and files, and is not cached itself."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file), TELEMETRY="prometheus")
    before = request_counts(fetch(f"{url}/metrics").text)
    tags = {fetch(f"{url}{AWARD}").headers["etag"] for _ in range(5)}
    fetch(f"{url}{AWARD}", headers={"If-None-Match": tags.pop()})
    fetch(f"{url}/nowhere")
    fetch(f"{url}/v1/exports/record.sqlite")
    response = fetch(f"{url}/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["cache-control"] == "no-store"
    after = request_counts(response.text)
    assert after["200"] - before["200"] >= 5
    assert after["304"] == 1
    assert after["404"] >= 1
    assert fetch(f"{url}/v1/meta").status_code == 200


class Collector(ThreadingHTTPServer):
    """An OpenTelemetry collector (OTLP over HTTP) that stores what it receives."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CollectorHandler)
        self.traces = ExportTraceServiceRequest()
        self.metrics = ExportMetricsServiceRequest()


class CollectorHandler(BaseHTTPRequestHandler):
    """Handles one export request."""

    server: Collector

    def do_POST(self) -> None:
        """Store traces or metrics."""
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
        """Log nothing."""


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Run a collector in a thread."""
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


def test_otlp_exports_traces_and_metrics(start_server: Start, archive_file: Path) -> None:
    """Spans continue the caller's trace, also for cached responses."""
    with running_collector() as collector:
        url, process = start_server(
            ARCHIVE_FILE=str(archive_file),
            TELEMETRY="otlp",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        )
        for _ in range(3):
            headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            assert fetch(f"{url}{AWARD}", headers=headers).status_code == 200
        process.terminate()
        assert process.wait(timeout=TIMEOUT_SECONDS) == 0
        spans = [
            span
            for group in collector.traces.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
            if span.trace_id.hex() == TRACE
        ]
        assert [span.kind for span in spans].count(Span.SPAN_KIND_SERVER) == 3
        assert "fastapi.endpoint" in {span.name for span in spans}
        names = {
            metric.name
            for group in collector.metrics.resource_metrics
            for scope in group.scope_metrics
            for metric in scope.metrics
        }
        assert "http.server.request.duration" in names


def test_telemetry_is_off_by_default(server: str) -> None:
    """Without the setting there is no `/metrics`."""
    assert_problem(fetch(f"{server}/metrics"), 404)


@pytest.mark.process
def test_no_telemetry_package_is_imported_when_off() -> None:
    """The application starts without the SDK and the exporters."""
    code = (
        "import sys, app.main; "
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', "
        "'opentelemetry.exporter', 'prometheus_client', 'google.protobuf'))])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert result.stdout.strip() == b"[]"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"TELEMETRY": "prometheus", "WORKERS": "2"}, "WORKERS must be 1"),
        ({"TELEMETRY": "otlp"}, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"TELEMETRY": "on"}, "TELEMETRY is 'on'"),
    ],
)
def test_settings_that_cannot_work_are_rejected(
    archive_file: Path, settings: dict[str, str], message: str
) -> None:
    """`serve` exits with a message that names what has to change."""
    result = invoke_cli("serve", ARCHIVE_FILE=str(archive_file), **settings)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_missing_packages_are_installed_from_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the message names the requirements file to install, which exists."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    with pytest.raises(ConfigurationError, match="pip install --require-hashes -r") as error:
        check_telemetry(Settings(telemetry="otlp"))
    name = re.search(r"requirements[\w.-]*\.txt", str(error.value))
    assert name
    assert (ROOT / name[0]).exists()
