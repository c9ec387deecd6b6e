"""HTTP connections, the response cache, logs and telemetry."""
