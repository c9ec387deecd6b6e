"""Names of regions for people, where a name alone is not enough."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from app.models.text_folding import fold


def region_label(connection: sqlite3.Connection, region: Mapping[str, Any]) -> str:
    """Name of a region, with its country if another region of the record has the same name."""
    name: str = region["name"]
    others = "SELECT 1 FROM regions WHERE name_key = ? AND id <> ? LIMIT 1"
    if (
        region["country"] is None
        or not connection.execute(others, (fold(name), region["id"])).fetchone()
    ):
        return name
    return f"{name} ({country_name(region['country'])})"


def country_name(code: str) -> str:
    """English name of an ISO 3166-1 country, or the code if it is unknown."""
    from app.seed.mentions import country_names  # noqa: PLC0415 - slow to import, rarely needed

    return next(iter(country_names(code)), code)
