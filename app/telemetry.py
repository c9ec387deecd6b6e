"""Telemetry: OpenTelemetry as FastAPI speaks it, where the settings ask for it."""

from __future__ import annotations

import os
from importlib.util import find_spec

from fastapi import Request
from fastapi.responses import Response
from fastapi.telemetry import TelemetryConfig

from app.settings import ConfigurationError, Settings

_EXTRA = "TELEMETRY needs more than is installed: pip install 'cpc-record[telemetry]'."


def configured(settings: Settings) -> TelemetryConfig:
    """What FastAPI is told.

    Raises:
        ConfigurationError: What it takes is not installed or not set.
    """
    if settings.telemetry == "off":
        return {"tracing": False, "metrics": False, "logs": False}
    if find_spec("opentelemetry.sdk") is None or find_spec("prometheus_client") is None:
        raise ConfigurationError(_EXTRA)
    os.environ.setdefault("OTEL_SERVICE_NAME", "cpc-record")
    return _prometheus(settings) if settings.telemetry == "prometheus" else _otlp()


def _otlp() -> TelemetryConfig:
    """Traces, figures and failures sent to a collector, as `OTEL_*` says (OTLP over HTTP)."""
    if not any(name.startswith("OTEL_EXPORTER_OTLP_") for name in os.environ):
        told = "TELEMETRY is otlp: set OTEL_EXPORTER_OTLP_ENDPOINT, http://127.0.0.1:4318 say."
        raise ConfigurationError(told)
    return {"auto_configure": True}


def _prometheus(settings: Settings) -> TelemetryConfig:
    """Figures to be fetched from `/metrics`; each process would give its own, so there is one."""
    if settings.workers > 1:
        told = "TELEMETRY is prometheus: WORKERS must be 1, or /metrics would tell of one in turn."
        raise ConfigurationError(told)
    from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415 - optional
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - optional

    provider = MeterProvider([PrometheusMetricReader()])
    return {"tracing": False, "logs": False, "meter_provider": provider}


async def get_metrics(_: Request) -> Response:
    """The figures of this process, as Prometheus reads them."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415 - optional

    never_kept = {"Cache-Control": "no-store"}
    return Response(generate_latest(), headers=never_kept, media_type=CONTENT_TYPE_LATEST)
