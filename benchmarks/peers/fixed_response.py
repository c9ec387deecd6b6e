"""FastAPI routes that return a fixed response: the overhead of the framework itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import Response

from benchmarks.peers.bare_asgi import load_response
from benchmarks.peers.parameters import AwardParameters

_HEADERS, _BODY = load_response(Path(os.environ["RESPONSE_FILE"]))
_EXTRA_HEADERS = {
    name.decode(): value.decode()
    for name, value in _HEADERS
    if name not in (b"content-length", b"content-type")
}
app = FastAPI(telemetry={"tracing": False, "metrics": False})


@app.get("/ready")
async def ready() -> Response:
    """Readiness probe."""
    return Response()


@app.get("/bare")
async def get_without_parameters() -> Response:
    """The fixed response, without declared parameters."""
    return _response()


@app.get("/v1/awards")
async def get_with_parameters(parameters: Annotated[AwardParameters, Query()]) -> Response:
    """The fixed response, after the query parameters are validated."""
    del parameters
    return _response()


def _response() -> Response:
    return Response(_BODY, headers=_EXTRA_HEADERS, media_type="application/json")
