"""FastAPI routes that give bytes they were started with: what the framework itself costs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import Response

from benchmarks.peers.bare import read
from benchmarks.peers.parameters import AwardParameters

_HEADERS, _BODY = read(Path(os.environ["ANSWER"]))
_NAMED = {
    name.decode(): value.decode()
    for name, value in _HEADERS
    if name not in (b"content-length", b"content-type")
}
app = FastAPI(telemetry={"tracing": False, "metrics": False})


@app.get("/ready")
async def ready() -> Response:
    """Whether the application is up."""
    return Response()


@app.get("/bare")
async def bare() -> Response:
    """The bytes, without parameters."""
    return _answer()


@app.get("/v1/awards")
async def parsed(parameters: Annotated[AwardParameters, Query()]) -> Response:
    """The bytes, once the parameters are found valid."""
    del parameters
    return _answer()


def _answer() -> Response:
    return Response(_BODY, headers=_NAMED, media_type="application/json")
