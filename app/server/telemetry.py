"""OpenTelemetry through FastAPI's native support, if enabled."""

from __future__ import annotations

import os
from importlib.util import find_spec

from fastapi import Request
from fastapi.responses import Response
from fastapi.telemetry import TelemetryConfig

from app.settings import ConfigurationError, Settings

_OTLP_PREFIX = "OTEL_EXPORTER_OTLP_"
_NOT_INSTALLED = (
    "TELEMETRY requires packages that are not installed: "
    "pip install --require-hashes -r requirements-telemetry.txt."
)


def check_telemetry(settings: Settings) -> None:
    """Check that the requested telemetry can work.

    Raises:
        ConfigurationError: A package is not installed, or another setting does not fit.
    """
    telemetry = settings.telemetry
    if telemetry == "off":
        return
    if find_spec("opentelemetry.sdk") is None or find_spec("prometheus_client") is None:
        raise ConfigurationError(_NOT_INSTALLED)
    if telemetry == "otlp" and not any(name.startswith(_OTLP_PREFIX) for name in os.environ):
        message = f"TELEMETRY is otlp: set {_OTLP_PREFIX}ENDPOINT, such as http://127.0.0.1:4318."
        raise ConfigurationError(message)
    if telemetry == "prometheus" and settings.workers > 1:
        message = (
            "TELEMETRY is prometheus: WORKERS must be 1, because /metrics reports one process."
        )
        raise ConfigurationError(message)


def telemetry_config(settings: Settings) -> TelemetryConfig:
    """FastAPI's telemetry options: nothing, traces and metrics by OTLP, or Prometheus metrics.

    Raises:
        ConfigurationError: A package is not installed, or another setting does not fit.
    """
    check_telemetry(settings)
    if settings.telemetry == "off":
        return {"tracing": False, "metrics": False, "logs": False}
    os.environ.setdefault("OTEL_SERVICE_NAME", "cpc-record")
    if settings.telemetry == "otlp":
        return {"auto_configure": True}
    from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415 - optional
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - optional

    provider = MeterProvider([PrometheusMetricReader()])
    return {"tracing": False, "logs": False, "meter_provider": provider}


async def get_metrics(_: Request) -> Response:
    """The metrics of this process in Prometheus' text format."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415 - optional

    uncached = {"Cache-Control": "no-store"}
    return Response(generate_latest(), headers=uncached, media_type=CONTENT_TYPE_LATEST)
