"""Whether the process lives, and whether it can answer."""

from __future__ import annotations

import sqlite3
from typing import Literal

from fastapi import APIRouter
from fastapi.responses import Response

from app.models.base import Model
from app.responses.problems import Unavailable
from app.responses.representations import encode_json
from app.routers.dependencies import ArchiveDep
from app.routers.openapi_responses import openapi_responses
from app.routers.route import Route

router = APIRouter(tags=["health"], route_class=Route)

_NEVER_KEPT = {"Cache-Control": "no-store"}


class Health(Model):
    """All is well."""

    status: Literal["ok"]


@router.get(
    "/healthz",
    operation_id="getLiveness",
    summary="Is the process alive?",
    description="Answers as long as the process can. Never cached.",
    response_model=Health,
    response_description="It is.",
    responses=openapi_responses(),
)
async def get_liveness() -> Response:
    """A fixed answer."""
    return Response(
        encode_json({"status": "ok"}), headers=_NEVER_KEPT, media_type="application/json"
    )


@router.get(
    "/readyz",
    operation_id="getReadiness",
    summary="Can it answer requests?",
    description="Answers 200 when the record is loaded and can be read. Never cached.",
    response_model=Health,
    response_description="It can.",
    responses=openapi_responses(),
)
async def get_readiness(archive: ArchiveDep) -> Response:
    """A fixed answer, after one read of the archive.

    Raises:
        Unavailable: The archive cannot be read.
    """
    try:
        archive.connection.execute("SELECT count(*) FROM meta").fetchone()
    except sqlite3.Error as error:
        raise Unavailable("The archive cannot be read.", headers={"Retry-After": "5"}) from error
    return Response(
        encode_json({"status": "ok"}), headers=_NEVER_KEPT, media_type="application/json"
    )
