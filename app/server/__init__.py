"""HTTP connections, response headers, the response cache, logs and telemetry."""
