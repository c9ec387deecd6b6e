"""Every address of an application on a record: paths of the OpenAPI document with every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

Json = dict[str, Any]

UNDOCUMENTED = (
    "/openapi.json",
    "/docs",
    "/history",
    "/robots.txt",
    "/sitemap.xml",
    "/favicon.ico",
    "/.well-known/api-catalog",
)
"""Addresses that are not part of the API."""
_DATES = ("0001", "2017-06", "9999-12-31")
_AMOUNTS = ("0", str(2**53 - 1))
_EXAMPLES: Mapping[str, Sequence[str]] = {
    "limit": ("1", "1000"),
    "not_stated": ("ends",),
    "fields": ("id",),
    "country": ("PE",),
    "field": ("ends",),
    "since": ("latest",),
    "until": ("latest",),
}
"""Values of parameters that the document does not list."""
_REQUIRED_PARAMETERS = {("/v1/search", "q"), ("/v1/changes", "since")}
"""Paths with a required parameter."""
_COLLECTIONS: Mapping[str, str] = {
    "award": "awards",
    "objective": "objectives",
    "partnership": "partnerships",
    "publisher": "organizations",
    "recipient": "organizations",
    "region": "regions",
    "resource": "awards",
}
"""Collection whose ids are the values of a filter."""
_MAX_IDS = 4
"""Ids of a type that are used as values of filters."""
_MAX_ITEMS = 25
"""Resources of a type that are requested one by one."""


def every_address(document: Json, record: Json) -> Iterator[str]:
    """Every path; each value of each parameter, alone and with every format; every item.

    Args:
        document: The OpenAPI document of the application.
        record: The resources of each collection.
    """
    yield from UNDOCUMENTED
    for path, operations in document["paths"].items():
        parameters = operations["get"].get("parameters", [])
        if path == "/v1/cite":
            yield from _citations(parameters, record)
            continue
        queries = [
            [(parameter["name"], value) for value in _values(parameter, record)]
            for parameter in parameters
            if parameter["in"] == "query" and parameter["name"] != "cursor"
        ]
        for concrete in _paths(path, parameters, record):
            yield from _with_queries(concrete, queries)


def _citations(parameters: Sequence[Json], record: Json) -> Iterator[str]:
    """The citation of the record in each format, and of the first resource of each type."""
    choices = {parameter["name"]: parameter["schema"].get("enum") for parameter in parameters}
    for format_ in choices["format"]:
        yield f"/v1/cite?format={format_}"
    for type_, items in zip(choices["type"], record.values(), strict=False):  # then citations
        for item in items[:1]:
            yield f"/v1/cite?type={type_}&resource={item['id']}&format={choices['format'][-1]}"


def _paths(path: str, parameters: Sequence[Json], record: Json) -> Iterator[str]:
    """A path with every id, or with every value of its parameter."""
    for parameter in parameters:
        if parameter["in"] == "path":
            collection = path.split("/")[2]
            listed = parameter["schema"].get("enum") or parameter["schema"].get("examples")
            ids = listed or [item["id"] for item in record.get(collection, [])[:_MAX_ITEMS]]
            for value in ids:
                yield path.replace(f"{{{parameter['name']}}}", quote(str(value)))
            return
    yield path


def _with_queries(path: str, queries: Sequence[Sequence[tuple[str, str]]]) -> Iterator[str]:
    """A path with each value of each parameter, values of one parameter together, and formats."""
    formats = [pair for pairs in queries for pair in pairs if pair[0] == "format"]
    required = [
        pairs[0] for pairs in queries if pairs and (path, pairs[0][0]) in _REQUIRED_PARAMETERS
    ]
    if not required:
        yield path
    for pairs in queries:
        for pair in pairs:
            added = [other for other in required if other[0] != pair[0]]
            yield f"{path}?{urlencode([pair, *added])}"
            for format_ in formats:
                is_allowed = (pair, format_) != (("fields", "links"), ("format", "csv"))
                if is_allowed and pair[0] not in ("format", "include", "facet"):
                    yield f"{path}?{urlencode([pair, *added, format_])}"
        if pairs and pairs[0][0] in ("include", "facet"):
            yield f"{path}?{urlencode([*pairs, *required])}"


def _values(parameter: Json, record: Json) -> Iterator[str]:
    name, schema = parameter["name"], parameter["schema"]
    choices = schema.get("enum") or schema.get("items", {}).get("enum")
    if choices:
        yield from map(str, choices)
    elif name == "q":
        yield from words_of(record)
    elif name.endswith(("__gte", "__lte")):
        yield from _AMOUNTS if "amount" in name else _DATES
    elif name in _COLLECTIONS:
        yield "absent"
        for item in record[_COLLECTIONS[name]][:_MAX_IDS]:
            yield item["id"]
    else:
        yield from _EXAMPLES.get(name, ())


def words_of(record: Json) -> list[str]:
    """Some words of the texts of a record, and some of none."""
    texts = [
        str(item.get("title") or item.get("name") or "")
        for items in record.values()
        for item in items[:2]
    ]
    words = [word for text in texts for word in text.split()[:3]]
    return [*dict.fromkeys(word[:200] for word in words[:12]), "absent", '"', "*"]
