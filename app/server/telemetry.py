"""Telemetry: OpenTelemetry as FastAPI speaks it, where the settings ask for it."""

from __future__ import annotations

import os
from importlib.util import find_spec

from fastapi import Request
from fastapi.responses import Response
from fastapi.telemetry import TelemetryConfig

from app.settings import ConfigurationError, Settings

_OTLP = "OTEL_EXPORTER_OTLP_"
_EXTRA = (
    "TELEMETRY needs more than is installed: "
    "pip install --require-hashes -r requirements-telemetry.txt."
)


def check_telemetry(settings: Settings) -> None:
    """See that what is asked for can be had.

    Raises:
        ConfigurationError: What it takes is not installed or not set.
    """
    chosen = settings.telemetry
    if chosen == "off":
        return
    if find_spec("opentelemetry.sdk") is None or find_spec("prometheus_client") is None:
        raise ConfigurationError(_EXTRA)
    if chosen == "otlp" and not any(name.startswith(_OTLP) for name in os.environ):
        told = f"TELEMETRY is otlp: set {_OTLP}ENDPOINT, to http://127.0.0.1:4318 say."
        raise ConfigurationError(told)
    if chosen == "prometheus" and settings.workers > 1:
        told = "TELEMETRY is prometheus: WORKERS must be 1, or /metrics would tell of one in turn."
        raise ConfigurationError(told)


def telemetry_config(settings: Settings) -> TelemetryConfig:
    """What FastAPI is told: nothing is measured, or all is sent, or figures are to be fetched.

    Raises:
        ConfigurationError: What it takes is not installed or not set.
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
    """The figures of this process, as Prometheus reads them."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415 - optional

    never_kept = {"Cache-Control": "no-store"}
    return Response(generate_latest(), headers=never_kept, media_type=CONTENT_TYPE_LATEST)
