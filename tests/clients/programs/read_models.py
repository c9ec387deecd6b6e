"""Validate responses with the models of datamodel-code-generator and print what they have."""

from __future__ import annotations

import json
import sys
from datetime import datetime

import httpx
from models import ActivityPage, AwardItem, AwardPage, ProblemDocument, WholeRecord

QUERY = {"region": ["cusco", "loreto"], "sort": "-title", "include": "recipient"}


def activities(client: httpx.Client) -> list[str]:
    """Ids of all activities, page by page."""
    ids: list[str] = []
    path: str | None = "/v1/activities?limit=5"
    while path is not None:
        page = ActivityPage.model_validate_json(client.get(path).content)
        ids += [activity.id for activity in page.data]
        path = page.links.next
    return ids


def summary(client: httpx.Client) -> dict[str, object]:
    """Everything read from the server."""
    page = AwardPage.model_validate_json(client.get("/v1/awards", params=QUERY).content)
    item = AwardItem.model_validate_json(client.get("/v1/awards/peru-ilo").content)
    record = WholeRecord.model_validate_json(client.get("/v1/record").content)
    missing = ProblemDocument.model_validate_json(client.get("/v1/awards/nobody").content)
    invalid = ProblemDocument.model_validate_json(client.get("/v1/awards?limit=0").content)
    assert page.included is not None and page.included.organizations is not None  # noqa: PT018 - for mypy
    assert invalid.errors is not None
    captured: list[datetime | None] = [source.captured for source in record.data.sources]
    return {
        "awards": [award.title for award in page.data],
        "recipients": [recipient.name for recipient in page.included.organizations],
        "award": item.data.title,
        "notFound": missing.detail,
        "invalid": invalid.errors[0].message,
        "activities": activities(client),
        "regions": item.data.regions,
        "announced": item.data.announced,
        "captured": captured,
        "citations": len(record.data.citations),
    }


with httpx.Client(base_url=sys.argv[1]) as connected:
    json.dump(summary(connected), sys.stdout)
