"""What the API should answer, worked out from a seed file in plain Python.

Nothing here reads the application: the tables are the contract's, and the rules are written anew.
"""

from __future__ import annotations

import calendar
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Asked = Mapping[str, Sequence[str]]
"""Query parameters: each name with all its values."""

TYPES = {
    "partnerships": "partnership",
    "objectives": "objective",
    "awards": "award",
    "activities": "activity",
    "regions": "region",
    "organizations": "organization",
    "sources": "source",
    "citations": "citation",
}
RESOURCES = tuple(name for name in TYPES if name != "citations")

FILTERS: dict[str, dict[str, str]] = {
    "partnerships": {"country": "countries", "region": "regions"},
    "objectives": {"partnership": "partnership"},
    "awards": {
        "partnership": "partnership",
        "recipient": "recipient",
        "objective": "objectives",
        "region": "regions",
        "trafficking_form": "trafficking_forms",
    },
    "activities": {"award": "award", "objective": "objectives", "region": "regions"},
    "regions": {"country": "country"},
    "organizations": {"kind": "kind", "role": "roles"},
    "sources": {"publisher": "publisher"},
    "citations": {
        "resource_type": "resource_type",
        "resource": "resource",
        "field": "field",
        "basis": "basis",
    },
}
"""The field that each filter compares, by the parameter's name."""

CHOICES = {
    "kind": ("government", "government_agency", "international_organization", "ngo"),
    "role": ("signatory", "investor", "implementer", "publisher"),
    "trafficking_form": ("sex", "labor"),
    "resource_type": tuple(TYPES[name] for name in RESOURCES),
    "basis": ("stated", "derived", "editorial", "enriched"),
}
"""Filters of closed sets, and their values."""

RANGES: dict[str, dict[str, str]] = {
    "partnerships": {"signed": "date", "investment_amount": "integer"},
    "awards": {"announced": "date", "ends": "date", "amount": "integer"},
}
SORTS: dict[str, tuple[str, ...]] = {
    "partnerships": ("signed", "name"),
    "objectives": ("position", "title"),
    "awards": ("announced", "ends", "title"),
    "activities": ("position", "title"),
    "regions": ("name",),
    "organizations": ("name",),
    "sources": ("title",),
    "citations": ("id",),
}
"""Fields that sort, the default first."""

FACETS = {
    name: tuple(parameter for parameter in filters if parameter != "resource")
    for name, filters in FILTERS.items()
}
INCLUDES: dict[str, dict[str, str]] = {
    "partnerships": {"investor": "organizations", "regions": "regions"},
    "objectives": {"partnership": "partnerships"},
    "awards": {
        "partnership": "partnerships",
        "recipient": "organizations",
        "objectives": "objectives",
        "regions": "regions",
    },
    "activities": {"award": "awards", "objectives": "objectives", "regions": "regions"},
    "regions": {},
    "organizations": {},
    "sources": {"publisher": "organizations"},
}
"""Reference fields, and the collection of what they name."""

SEARCHED = {
    "partnerships": ("name", "short_name", "summary"),
    "objectives": ("title", "summary"),
    "awards": ("title", "summary"),
    "activities": ("title", "summary", "stakeholders", "supports"),
    "regions": ("name", "aliases", "iso_3166_2", "inei_ubigeo", "wikidata"),
    "organizations": ("name", "short_name"),
    "sources": ("title", "notices", "url"),
}
"""Fields that full-text search covers; the first is the title."""

_DATES = ("signed", "announced", "ends")


def sorts(collection: str) -> list[str]:
    """Every value of `sort`."""
    return [sign + field for field in SORTS[collection] for sign in ("", "-")]


def range_parameters(collection: str) -> dict[str, str]:
    """Every range parameter with the kind of its values."""
    return {
        f"{field}__{edge}": kind
        for field, kind in RANGES.get(collection, {}).items()
        for edge in ("gte", "lte")
    }


class Oracle:
    """The documents that a seed file makes, and what queries select of them.

    Attributes:
        documents: Every document by collection, in the order of the seed.
    """

    def __init__(self, seed: Path) -> None:
        read: Json = json.loads(seed.read_text("utf-8"))
        self.documents: dict[str, list[Json]] = {name: [] for name in TYPES}
        for name in RESOURCES:
            for entry in read[name]:
                self.documents[name].append(_document(name, entry))
                self.documents["citations"] += _citations(TYPES[name], entry)

    def select(self, collection: str, asked: Asked) -> list[Json]:
        """The documents that a query leaves, in its order."""
        found = [one for one in self.documents[collection] if _fits(collection, one, asked)]
        name = asked.get("sort", [SORTS[collection][0]])[0]
        field = name.removeprefix("-")
        with_key = sorted((one for one in found if one[field] is not None), key=_by_id)
        with_key.sort(key=lambda one: _sort_key(field, one), reverse=name.startswith("-"))
        return with_key + sorted((one for one in found if one[field] is None), key=_by_id)

    def count(self, collection: str, asked: Asked, parameter: str) -> Counter[str | None]:
        """How many selected documents have each value of a filter; None for no value."""
        counts: Counter[str | None] = Counter()
        for one in self.select(collection, asked):
            counts.update(members(one[FILTERS[collection][parameter]]) or [None])
        return counts

    def referred(self, collection: str, field: str, page: Sequence[Json]) -> list[Json]:
        """What the documents of a page name in a field, by id; or their citations."""
        if field == "citations":
            ids = {one["id"] for one in page}
            return [
                one
                for one in sorted(self.documents["citations"], key=_by_id)
                if one["resource_type"] == TYPES[collection] and one["resource"] in ids
            ]
        named = {name for one in page for name in members(one[field])}
        found = self.documents[INCLUDES[collection][field]]
        return [one for one in sorted(found, key=_by_id) if one["id"] in named]


def members(value: Any) -> list[Any]:
    """A value as a list: null has no member, a single value is its own."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def first_day(value: str) -> str:
    """The first day of a date at any precision, as YYYY-MM-DD."""
    return value + "-01-01"[len(value) - 4 :]


def last_day(value: str) -> str:
    """The last day of a date at any precision, as YYYY-MM-DD."""
    if len(value) == 4:
        return f"{value}-12-31"
    if len(value) == 7:
        year, month = map(int, value.split("-"))
        return f"{value}-{calendar.monthrange(year, month)[1]:02}"
    return value


def fold(text: str) -> str:
    """Text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if not unicodedata.combining(one))


def words(text: str) -> list[str]:
    """The folded words of a text: its runs of letters and digits."""
    return re.findall(r"[^\W_]+", fold(text))


def found_by(q: str, *columns: str) -> bool:
    """Whether every word of `q` occurs in some column, the last perhaps only as a beginning.

    A word with punctuation inside is a phrase; punctuation alone is no word.
    """
    phrases = [found for found in map(words, q.split()) if found]
    tokens = [words(column) for column in columns]
    beginning = q[-1:].isalnum()
    return bool(phrases) and all(
        any(_has(column, phrase, beginning and place == len(phrases)) for column in tokens)
        for place, phrase in enumerate(phrases, start=1)
    )


def _has(column: list[str], phrase: list[str], beginning: bool) -> bool:
    size = len(phrase)
    for start in range(len(column) - size + 1):
        window = column[start : start + size]
        if window == phrase:
            return True
        if beginning and window[:-1] == phrase[:-1] and window[-1].startswith(phrase[-1]):
            return True
    return False


def _document(collection: str, entry: Json) -> Json:
    kind, name = TYPES[collection], entry["id"]
    links = {
        "self": f"/v1/{collection}/{name}",
        "citations": f"/v1/citations?resource_type={kind}&resource={name}",
    }
    return {**{key: value for key, value in entry.items() if key != "evidence"}, "links": links}


def _citations(kind: str, entry: Json) -> Iterator[Json]:
    for field, cited in entry["evidence"].items():
        for number, one in enumerate(cited, start=1):
            name = f"{kind}.{entry['id']}.{field}.{number}"
            yield {
                "id": name,
                "resource_type": kind,
                "resource": entry["id"],
                "field": field,
                "basis": one["basis"],
                "note": one.get("note"),
                "reference": one.get("reference"),
                "target": _target(one["quote"]) if "quote" in one else None,
                "links": {"self": f"/v1/citations/{name}"},
            }


def _target(quote: Json) -> Json:
    position = {"start": quote["start"], "end": quote["end"]}
    return {
        "type": "SpecificResource",
        "source": f"/v1/sources/{quote['source']}",
        "selector": [
            {"type": "TextQuoteSelector", "exact": quote["exact"]},
            {"type": "TextPositionSelector", **position},
        ],
    }


def _fits(collection: str, one: Json, asked: Asked) -> bool:
    return all(_meets(collection, one, name, values) for name, values in asked.items())


def _meets(collection: str, one: Json, name: str, values: Sequence[str]) -> bool:
    if name == "sort":
        return True
    if name == "q":
        title, *body = SEARCHED[collection]
        texts = ["\n".join(members(one[field])) for field in body]
        return found_by(values[0], one[title], "\n".join(texts))
    field, _, edge = name.partition("__")
    if not edge:
        return bool(set(members(one[FILTERS[collection][name]])) & set(values))
    return one[field] is not None and _within(one[field], edge, values[0])


def _within(value: Any, edge: str, bound: str) -> bool:
    if isinstance(value, int):
        return value >= int(bound) if edge == "gte" else value <= int(bound)
    if edge == "gte":
        return first_day(value) >= first_day(bound)
    return last_day(value) <= last_day(bound)


def _by_id(one: Json) -> str:
    name: str = one["id"]
    return name


def _sort_key(field: str, one: Json) -> Any:
    value = one[field]
    if field in _DATES:
        return first_day(value)
    return fold(value) if field in ("name", "title") else value
