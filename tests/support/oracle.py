"""Expected results of the API, computed from a seed file in plain Python.

Nothing here imports the application: the tables repeat the contract, and the rules are a second,
independent implementation.
"""

from __future__ import annotations

import calendar
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

Json = dict[str, Any]
QueryParameters = Mapping[str, Sequence[str]]
"""All values of each query parameter."""

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
"""Field of each filter, by parameter."""
for _name, _filters in FILTERS.items():
    _filters["id"] = "id"
    if _name in RESOURCES:
        _filters["not_stated"] = "not_stated"

CHOICES = {
    "kind": ("government", "government_agency", "international_organization", "ngo"),
    "role": ("signatory", "investor", "implementer", "publisher"),
    "trafficking_form": ("sex", "labor"),
    "resource_type": tuple(TYPES[name] for name in RESOURCES),
    "basis": ("stated", "derived", "editorial", "enriched"),
}
"""Values of filters with a closed set of values that is the same for all collections."""
CLOSED_FILTERS = {*CHOICES, "not_stated"}
"""Filters with a closed set of values."""

RANGES: dict[str, dict[str, str]] = {
    "partnerships": {"signed": "date", "investment_amount": "integer"},
    "awards": {"announced": "date", "ends": "date", "amount": "integer"},
}
SORTS: dict[str, tuple[str, ...]] = {
    "partnerships": ("signed", "name", "investment_amount"),
    "objectives": ("position", "title"),
    "awards": ("announced", "ends", "title", "amount"),
    "activities": ("position", "title"),
    "regions": ("name",),
    "organizations": ("name",),
    "sources": ("title",),
    "citations": ("id",),
}
"""Fields that collections can be sorted by, the default first."""

FACETS = {
    name: tuple(parameter for parameter in filters if parameter not in ("id", "resource"))
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
"""Collection that each reference field refers to."""

SEARCH_FIELDS = {
    "partnerships": ("name", "short_name", "summary"),
    "objectives": ("title", "summary"),
    "awards": ("title", "summary"),
    "activities": ("title", "summary", "stakeholders", "supports"),
    "regions": ("name", "aliases", "iso_3166_2", "inei_ubigeo", "wikidata"),
    "organizations": ("name", "short_name"),
    "sources": ("title", "notices", "url"),
}
"""Fields that full-text search covers, the title first."""

_DATE_FIELDS = ("signed", "announced", "ends")


def sorts(collection: str) -> list[str]:
    """Every value of `sort`."""
    return [sign + field for field in SORTS[collection] for sign in ("", "-")]


def range_parameters(collection: str) -> dict[str, str]:
    """Every range parameter with the type of its values, `date` or `integer`."""
    return {
        f"{field}__{operator}": value_type
        for field, value_type in RANGES.get(collection, {}).items()
        for operator in ("gte", "lte")
    }


class Oracle:
    """The documents of a seed file and the expected results of queries.

    Attributes:
        documents: Documents by collection, in the order of the seed.
    """

    def __init__(self, seed: Path) -> None:
        content: Json = json.loads(seed.read_text("utf-8"))
        self.documents: dict[str, list[Json]] = {collection: [] for collection in TYPES}
        for collection in RESOURCES:
            for resource in content[collection]:
                self.documents[collection].append(_document(collection, resource))
                self.documents["citations"] += _citations(TYPES[collection], resource)

    def select(self, collection: str, parameters: QueryParameters) -> list[Json]:
        """The documents that match a query, sorted."""
        matching = [
            item for item in self.documents[collection] if _matches(collection, item, parameters)
        ]
        sort = parameters.get("sort", [SORTS[collection][0]])[0]
        field = sort.removeprefix("-")
        with_key = sorted((item for item in matching if item[field] is not None), key=_id)
        with_key.sort(key=lambda item: _sort_key(field, item), reverse=sort.startswith("-"))
        return with_key + sorted((item for item in matching if item[field] is None), key=_id)

    def count(
        self, collection: str, parameters: QueryParameters, facet: str
    ) -> Counter[str | None]:
        """Number of matching documents for each value of a filter; None counts missing values."""
        counts: Counter[str | None] = Counter()
        for item in self.select(collection, parameters):
            counts.update(as_list(item[FILTERS[collection][facet]]) or [None])
        return counts

    def labels(self, collection: str, facet: str) -> dict[str, str]:
        """Name or title of each resource that a value of a filter can refer to, by id."""
        target = INCLUDES.get(collection, {}).get(FILTERS[collection][facet])
        if target is None:
            return {}
        title = SEARCH_FIELDS[target][0]
        return {document["id"]: document[title] for document in self.documents[target]}

    def included(self, collection: str, field: str, page: Sequence[Json]) -> list[Json]:
        """The documents that a page refers to in a field, or its citations, by id."""
        if field == "citations":
            ids = {item["id"] for item in page}
            return [
                citation
                for citation in sorted(self.documents["citations"], key=_id)
                if citation["resource_type"] == TYPES[collection] and citation["resource"] in ids
            ]
        target_ids = {target_id for item in page for target_id in as_list(item[field])}
        targets = self.documents[INCLUDES[collection][field]]
        return [target for target in sorted(targets, key=_id) if target["id"] in target_ids]


def as_list(value: Any) -> list[Any]:
    """A value as a list: empty for null, with one member for a single value."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def first_day(value: str) -> str:
    """First day of a date with the precision of a day, month or year, as YYYY-MM-DD."""
    return value + "-01-01"[len(value) - 4 :]


def last_day(value: str) -> str:
    """Last day of a date with the precision of a day, month or year, as YYYY-MM-DD."""
    if len(value) == 4:
        return f"{value}-12-31"
    if len(value) == 7:
        year, month = map(int, value.split("-"))
        return f"{value}-{calendar.monthrange(year, month)[1]:02}"
    return value


_LETTERS = {
    "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "\u0131": "i", "ȷ": "j", "ĸ": "q", "ŋ": "n",
    "ɔ": "o", "ə": "e", "ɛ": "e", "\u0261": "g", "\u0269": "i", "ɵ": "o", "ʉ": "u",
}  # fmt: skip


def fold(text: str) -> str:
    """Text without case and accents, and with Latin letters in their basic form."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(
        _basic_letter(character) for character in decomposed if not unicodedata.combining(character)
    )


def _basic_letter(character: str) -> str:
    """A Latin letter without stroke or hook, according to its name; others as they are."""
    words = unicodedata.name(character, "").split()
    if words[:3] == ["LATIN", "SMALL", "LETTER"] and "WITH" in words[4:5]:
        return words[3].lower() if len(words[3]) == 1 else character
    return _LETTERS.get(character, character)


def words(text: str) -> list[str]:
    """The folded words of a text: its runs of letters and digits."""
    return re.findall(r"[^\W_]+", fold(text))


def matches_words(q: str, *columns: str) -> bool:
    """Whether every word of `q` occurs in a column, the last one as a word or as a prefix.

    A word with punctuation inside is a phrase; punctuation alone is ignored.
    """
    phrases = [phrase for phrase in map(words, q.split()) if phrase]
    column_words = [words(column) for column in columns]
    last_is_prefix = q[-1:].isalnum()
    return bool(phrases) and all(
        any(
            _has_phrase(column, phrase, last_is_prefix and number == len(phrases))
            for column in column_words
        )
        for number, phrase in enumerate(phrases, start=1)
    )


def _has_phrase(column: list[str], phrase: list[str], is_prefix: bool) -> bool:
    size = len(phrase)
    for start in range(len(column) - size + 1):
        window = column[start : start + size]
        if window == phrase:
            return True
        if is_prefix and window[:-1] == phrase[:-1] and window[-1].startswith(phrase[-1]):
            return True
    return False


def _document(collection: str, resource: Json) -> Json:
    type_, resource_id = TYPES[collection], resource["id"]
    links = {
        "self": f"/v1/{collection}/{resource_id}",
        "citations": f"/v1/citations?resource_type={type_}&resource={resource_id}",
    }
    fields = {field: value for field, value in resource.items() if field != "evidence"}
    return {**fields, "links": links}


def _citations(type_: str, resource: Json) -> Iterator[Json]:
    for field, entries in resource["evidence"].items():
        for entry in entries:
            citation_id = f"{type_}.{resource['id']}.{field}.{_suffix(entry, entries)}"
            yield {
                "id": citation_id,
                "resource_type": type_,
                "resource": resource["id"],
                "field": field,
                "basis": entry["basis"],
                "note": entry.get("note"),
                "reference": entry.get("reference"),
                "target": _target(entry["quote"]) if "quote" in entry else None,
                "links": {"self": f"/v1/citations/{citation_id}"},
            }


def _target(quote: Json) -> Json:
    position = {"start": quote["start"], "end": quote["end"]}
    return {
        "type": "SpecificResource",
        "source": f"/v1/sources/{quote['source']}",
        "selector": [
            {
                "type": "TextQuoteSelector",
                **{name: quote.get(name) for name in ("exact", "prefix", "suffix")},
            },
            {"type": "TextPositionSelector", **position},
        ],
    }


def _matches(collection: str, item: Json, parameters: QueryParameters) -> bool:
    return all(
        _meets_condition(collection, item, name, values) for name, values in parameters.items()
    )


def _meets_condition(collection: str, item: Json, name: str, values: Sequence[str]) -> bool:
    if name == "sort":
        return True
    if name == "q":
        title, *other_fields = SEARCH_FIELDS[collection]
        texts = ["\n".join(as_list(item[field])) for field in other_fields]
        return matches_words(values[0], item[title], "\n".join(texts))
    field, _, operator = name.partition("__")
    if not operator:
        return bool(set(as_list(item[FILTERS[collection][name]])) & set(values))
    return item[field] is not None and _is_in_range(item[field], operator, values[0])


def _is_in_range(value: Any, operator: str, bound: str) -> bool:
    if isinstance(value, int):
        return value >= int(bound) if operator == "gte" else value <= int(bound)
    if operator == "gte":
        return first_day(value) >= first_day(bound)
    return last_day(value) <= last_day(bound)


def _id(item: Json) -> str:
    item_id: str = item["id"]
    return item_id


def _sort_key(field: str, item: Json) -> Any:
    value = item[field]
    if field in _DATE_FIELDS:
        return first_day(value)
    return fold(value) if field in ("name", "title") else value


def _suffix(entry: Json, entries: list[Json]) -> str:
    """The last part of the id of a citation, which names what it cites."""
    if "reference" in entry:
        cited = f"{entry['reference']['url']} {entry['reference']['title']}"
    else:
        quote = entry["quote"]
        quotes = [other["quote"] for other in entries if "quote" in other]
        same = {
            other["start"]
            for other in quotes
            if (other["source"], other["exact"]) == (quote["source"], quote["exact"])
        }
        cited = f"{quote['source']} {sorted(same).index(quote['start']) + 1} {quote['exact']}"
    return sha256(cited.encode()).hexdigest()[:8]
