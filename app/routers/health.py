"""`/healthz` and `/readyz`: liveness and readiness probes."""

from __future__ import annotations

import sqlite3
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.models.base import Model
from app.responses.problems import Unavailable
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep
from app.routers.openapi_responses import openapi_responses
from app.routers.route import Route

router = APIRouter(tags=["health"], route_class=Route)

_NO_STORE = {"Cache-Control": "no-store"}


class Health(Model):
    """Result of a successful health check."""

    status: Literal["ok"]


@router.get(
    "/healthz",
    operation_id="getLiveness",
    summary="Check liveness",
    description="Returns 200 while the process can handle requests. Never cached.",
    response_model=Health,
    response_description="The process is alive.",
    responses=openapi_responses(no_store=True),
)
async def get_liveness() -> Response:
    """A constant response."""
    return Response(encode_json({"status": "ok"}), headers=_NO_STORE, media_type="application/json")


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Check readiness",
    description="Returns 200 if the record is loaded and can be read, and 503 if not, or if the "
    "server is about to stop. Never cached.",
    response_model=Health,
    response_description="The service is ready.",
    responses=openapi_responses(no_store=True),
)
async def get_readiness(request: Request, archive: ArchiveDep) -> Response:
    """A constant response, after a test query of the archive.

    Raises:
        Unavailable: The archive cannot be read, or the server is about to stop.
    """
    if request.app.state.drain.started:
        raise Unavailable("The server is stopping.", headers={"Retry-After": "5"})
    try:
        archive.connection.execute("SELECT count(*) FROM meta").fetchone()
    except sqlite3.Error as error:
        raise Unavailable("The archive cannot be read.", headers={"Retry-After": "5"}) from error
    return Response(encode_json({"status": "ok"}), headers=_NO_STORE, media_type="application/json")
