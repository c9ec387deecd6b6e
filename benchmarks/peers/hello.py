"""The smallest application with the same libraries."""

from __future__ import annotations

import sqlmodel
from fastapi import FastAPI

app = FastAPI()


@app.get("/ready")
async def hello() -> dict[str, str]:
    """A greeting."""
    return {"hello": sqlmodel.__name__}
