"""Read resources with aiopenapi3, which makes a client of the document when it runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiopenapi3
import httpx2
import pydantic


def error_of(expected: type[Exception], request: Callable[[], Any]) -> Any:
    """The error that a request raises."""
    try:
        request()
    except expected as error:
        return error
    raise AssertionError


def activities(operations: Any) -> list[str]:
    """Ids of all activities, page by page."""
    ids: list[str] = []
    parameters = {"limit": 5}
    while True:
        page = operations.listActivities(parameters=parameters)
        ids += [activity.id for activity in page.data]
        if page.links.next is None:
            return ids
        query = parse_qs(urlsplit(page.links.next).query)
        parameters = {"limit": 5, "cursor": query["cursor"][0]}


def summary(origin: str) -> dict[str, object]:
    """Everything read from the server."""
    api = aiopenapi3.OpenAPI.load_sync(f"{origin}/openapi.json", session_factory=httpx2.Client)
    query = {"region": ["cusco", "loreto"], "sort": "-title", "include": ["recipient"]}
    page = api._.listAwards(parameters=query)
    missing = error_of(
        aiopenapi3.errors.HTTPClientError, lambda: api._.getAward(parameters={"id": "nobody"})
    )
    invalid = error_of(pydantic.ValidationError, lambda: api._.listAwards(parameters={"limit": 0}))
    return {
        "awards": [award.title for award in page.data],
        "recipients": [recipient.name for recipient in page.included.root.organizations],
        "award": api._.getAward(parameters={"id": "peru-ilo"}).data.title,
        "notFound": json.loads(missing.data)["detail"],
        "invalid": invalid.errors()[0]["msg"],
        "activities": activities(api._),
        "citations": len(api._.getRecord().data.citations),
    }


json.dump(summary(sys.argv[1]), sys.stdout)
