"""The smallest FastAPI application that imports the same libraries."""

from __future__ import annotations

import sqlmodel
from fastapi import FastAPI

app = FastAPI()


@app.get("/ready")
async def hello() -> dict[str, str]:
    """Readiness probe with a small JSON body."""
    return {"hello": sqlmodel.__name__}
