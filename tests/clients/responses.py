"""What a client should read from a running server, and comparisons with what it did read."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from tests.support.serving import fetch

Json = dict[str, Any]

SELECTION = "/v1/awards?region=cusco&region=loreto&sort=-title&include=recipient"
OTHERS = {
    "index": "/v1",
    "meta": "/v1/meta",
    "not_found": "/v1/awards/nobody",
    "invalid": "/v1/awards?limit=0",
}
"""Paths of entry points and problems, by what clients call them that read everything."""
READ = "list with repeated keys and `include`, item, pages, {} as in the API"
"""What the table of docs/tools.md says of a client, with the problems that it read."""


def get(server: str, path: str) -> Json:
    """A response of the API, or a problem."""
    response: Json = fetch(f"{server}{path}").json()
    return response


def summary(server: str) -> Json:
    """What a client reads that does not read everything."""
    page = get(server, SELECTION)
    return {
        "awards": [award["title"] for award in page["data"]],
        "recipients": [recipient["name"] for recipient in page["included"]["organizations"]],
        "award": get(server, "/v1/awards/peru-ilo")["data"]["title"],
        "notFound": get(server, OTHERS["not_found"])["detail"],
        "invalid": get(server, OTHERS["invalid"])["errors"][0]["message"],
        "activities": [activity["id"] for activity in get(server, "/v1/activities")["data"]],
    }


def check_collections(read: Json, server: str) -> None:
    """Compare the collections that a client read page by page with the whole record."""
    record = get(server, "/v1/record")
    assert read["record"] == record
    assert set(read["collections"]) == set(record["data"])
    for name, collection in read["collections"].items():
        assert sorted(collection["items"], key=itemgetter("id")) == sorted(
            record["data"][name], key=itemgetter("id")
        )
        assert collection["item"] == collection["items"][0]


def check_selections(read: Json, server: str) -> None:
    """Compare a filtered list, hits of a search, and awards whose amount is not stated."""
    page = get(server, SELECTION)
    for member in ("data", "meta"):
        assert read["in_cusco_or_loreto"][member] == page[member]
    assert read["search"]["data"] == get(server, "/v1/search?q=cusco")["data"] != []
    awards = get(server, "/v1/record")["data"]["awards"]
    assert sorted(read["amount_not_stated"]) == sorted(
        award["id"] for award in awards if "amount" in award["not_stated"]
    )
