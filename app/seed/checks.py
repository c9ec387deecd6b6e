"""What must hold between the parts of a record, beyond the shape of each."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pycountry

from app.models import Activity, Award, Objective, Organization, Region, Resource, Source
from app.models.dates import first_day
from app.models.evidence import Enriched, Quote
from app.models.text_folding import fold
from app.seed.errors import Issue, format_value
from app.seed.evidence_check import (
    resource_names,
    states_references,
    unsupported_references,
    unsupported_values,
)

_MONEY = (("amount", "currency"), ("investment_amount", "investment_currency"))
_PERIODS = (("signed", "ends"), ("announced", "ends"), ("archived_from", "archived_to"))
_OUTLINE_CODES = ("iso_3166_2", "inei_ubigeo", "wikidata")


class SeedChecks:
    """What is known of the resources seen so far, and what must wait for the rest.

    Attributes:
        codes: Id and codes in other registers of every region, with its place.
    """

    def __init__(self) -> None:
        self.codes: list[tuple[str, str, dict[str, str | None]]] = []
        self._names: dict[tuple[str, str], str] = {}
        self._called: dict[tuple[str, str], list[str]] = {}
        self._parents: dict[tuple[str, str], tuple[str, str]] = {}
        self._lengths: dict[str, int] = {}
        self._quotes: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        self._positions: dict[tuple[str, str, int], str] = {}
        self._awaited: list[tuple[tuple[str, str], str]] = []
        self._objectives: list[tuple[str, tuple[str, str], list[str]]] = []
        self._stated: list[tuple[str, Resource]] = []

    def name(self, kind: str, name: str, pointer: str) -> Iterator[Issue]:
        """Note the id of an entry, be its shape right or wrong: one issue is told once."""
        first = self._names.setdefault((kind, name), pointer)
        if first != pointer:
            expected = f"an id that no other {kind} has (compare {first}/id)"
            yield Issue(f"{pointer}/id", format_value(name), expected)

    def add(self, resource: Resource, pointer: str) -> Iterator[Issue]:
        """Check what can be checked now, and note what the rest will be held against."""
        yield from _nulls(resource, pointer)
        yield from _lists(resource, pointer)
        yield from _codes(resource, pointer)
        yield from _pairs(resource, pointer)
        yield from _name(resource, pointer)
        yield from self._position(resource, pointer)
        yield from _told(pointer, unsupported_values(resource))
        for place, quote in _quotes(resource, pointer):
            if quote.end - quote.start != len(quote.exact):
                yield _wrong_length(quote, place)
            self._quotes[quote.source].append((quote.start, quote.exact, place))
        self._note(resource, pointer)

    def finish(self) -> Iterator[Issue]:
        """Check what needed the whole."""
        for (kind, name), place in self._awaited:
            if (kind, name) not in self._names:
                yield Issue(place, format_value(name), f"the id of one of the {kind}s")
        for source, group in self._quotes.items():
            yield from self._source(source, group)
        for pointer, parent, names in self._objectives:
            yield from self._siblings(pointer, parent, names)
        for (kind, owner, position), pointer in self._positions.items():
            if position > 1 and (kind, owner, position - 1) not in self._positions:
                expected = f"positions of {owner} counted from 1"
                yield Issue(f"{pointer}/position", str(position), expected)
        for pointer, resource in self._stated:
            yield from _told(pointer, unsupported_references(resource, self._called))

    def _note(self, resource: Resource, pointer: str) -> None:
        for field, kind in resource.references.items():
            for name in _members(resource.get(field)):
                if (kind, name) not in self._names:
                    self._awaited.append(((kind, name), f"{pointer}/{field}"))
        key = (resource.type, resource.id)
        self._called[key] = resource_names(resource)
        if resource.parent_field is not None:
            parent = resource.references[resource.parent_field], resource.get(resource.parent_field)
            if isinstance(resource, Objective | Award):
                self._parents[key] = parent
            if objectives := resource.get("objectives"):
                self._objectives.append((pointer, parent, objectives))
        if states_references(resource):
            self._stated.append((pointer, resource))
        if isinstance(resource, Source):
            self._lengths[resource.id] = resource.characters
        if isinstance(resource, Region):
            codes = {code: resource.get(code) for code in _OUTLINE_CODES}
            self.codes.append((pointer, resource.id, codes))

    def _position(self, resource: Resource, pointer: str) -> Iterator[Issue]:
        position = resource.get("position")
        if resource.parent_field is None or position is None:
            return
        key = (resource.type, resource.get(resource.parent_field), position)
        first = self._positions.setdefault(key, pointer)
        if first != pointer:
            expected = f"a position that {first} does not have"
            yield Issue(f"{pointer}/position", str(position), expected)

    def _source(self, source: str, quotes: list[tuple[int, str, str]]) -> Iterator[Issue]:
        """Quotes must be of a known source, within its length, and not contradict each other."""
        if ("source", source) not in self._names:
            for _, _, place in quotes:
                yield Issue(f"{place}/source", format_value(source), "the id of a source")
            return
        longest = self._lengths.get(source, sys.maxsize)
        for start, exact, place in quotes:
            if start + len(exact) > longest:
                expected = f"at most {longest}, the length of the source"
                yield Issue(f"{place}/end", str(start + len(exact)), expected)
        yield from _contradictions(quotes)

    def _siblings(
        self, pointer: str, parent: tuple[str, str], names: Sequence[str]
    ) -> Iterator[Issue]:
        """Objectives must be of the partnership that the award or activity belongs to."""
        own = self._parents.get(parent, parent)
        for name in names:
            theirs = self._parents.get(("objective", name), own)
            if own[0] == "partnership" and theirs != own:
                yield Issue(
                    f"{pointer}/objectives", format_value(name), f"an objective of {own[1]}"
                )


def _told(pointer: str, wrong: Iterator[tuple[str, str, str]]) -> Iterator[Issue]:
    for field, found, expected in wrong:
        yield Issue(f"{pointer}/{field}", found, expected)


def _members(value: str | list[str] | None) -> Sequence[str]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def check_outlines(
    raw: Any, seed: Path, regions: Sequence[tuple[str, str, dict[str, str | None]]]
) -> tuple[dict[str, dict[str, Any]], list[Issue]]:
    """The outlines beside a seed file, by region, and what is wrong with them."""
    path = seed.parent / raw["file"]
    try:
        content = path.read_bytes()
    except OSError as error:
        found = error.strerror or str(error)
        return {}, [Issue("/outlines/file", f"{path.name}: {found}", "a file beside the seed")]
    actual = hashlib.sha256(content).hexdigest()
    if actual != raw["sha256"]:
        return {}, [Issue("/outlines/sha256", raw["sha256"], f"{actual}, as {path.name} has")]
    try:
        parsed = json.loads(content, parse_constant=_refuse_constant)
        features = {feature["id"]: _drawn(feature) for feature in parsed["features"]}
        properties = {
            name: {} if (told := feature.get("properties")) is None else {**told}
            for name, feature in features.items()
        }
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return {}, [Issue("/outlines/file", path.name, "GeoJSON features with ids (RFC 7946)")]
    issues = [
        Issue("/outlines/file", format_value(name), "the id of one of the regions")
        for name in features.keys() - {name for _, name, _ in regions}
    ]
    for pointer, name, codes in regions:
        for code, told in codes.items():
            drawn = properties.get(name, {}).get(code)
            if told and drawn and told != drawn:
                issues.append(Issue(f"{pointer}/{code}", format_value(told), f"{drawn}, as drawn"))
    return features, issues


def _drawn(feature: dict[str, Any]) -> dict[str, Any]:
    """A feature that has what is served of it: a geometry and, if any, a box of four edges.

    Raises:
        KeyError, TypeError, ValueError: It has not.
    """
    _, bbox = feature["geometry"], feature.get("bbox")
    if bbox is not None:
        _west, _south, _east, _north = map(float, bbox)
    return feature


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _name(resource: Resource, pointer: str) -> Iterator[Issue]:
    """An id that nothing refers to must be borne out by what the resource is called."""
    if isinstance(resource, Activity):
        prefix, called = f"{resource.award}-", [resource.title]
    elif isinstance(resource, Organization):
        prefix, called = "", [resource.name, resource.short_name or ""]
    else:
        return
    words = fold(" ".join(called)).replace(".", "").replace("-", " ").split()
    parts = resource.id.removeprefix(prefix).split("-")
    if not resource.id.startswith(prefix) or not set(parts) <= set(words):
        expected = f"{prefix} and words of its title" if prefix else "words of its name"
        yield Issue(f"{pointer}/id", format_value(resource.id), f"an id made of {expected}")


def _nulls(resource: Resource, pointer: str) -> Iterator[Issue]:
    fields = type(resource).cited_fields()
    values = resource.__dict__
    null = {field for field in fields if values[field] is None}
    if fields - null == resource.evidence.keys() and null.issuperset(resource.not_stated):
        return  # nothing to tell, as nearly always
    for field in sorted(fields):
        value, cited = resource.get(field), field in resource.evidence
        if value is None and cited:
            yield Issue(f"{pointer}/{field}", "null, yet cited", "a value, or no citation")
        if value is not None and not cited:
            yield Issue(f"{pointer}/evidence/{field}", "nothing", "at least one citation")
    for field in resource.evidence:
        if field not in fields:
            expected = f"a field that is cited: {', '.join(sorted(fields))}"
            yield Issue(f"{pointer}/evidence/{field}", "citations", expected)
    for index, field in enumerate(resource.not_stated):
        place = f"{pointer}/not_stated/{index}"
        if field not in fields:
            yield Issue(place, format_value(field), f"one of {', '.join(sorted(fields))}")
        elif resource.get(field) is not None:
            yield Issue(place, f"{field}, which has a value", "a field that is null")


def _lists(resource: Resource, pointer: str) -> Iterator[Issue]:
    for field, value in resource.__dict__.items():
        if isinstance(value, list) and len(set(value)) < len(value):
            counted = Counter(map(str, value))
            for member in sorted(one for one, count in counted.items() if count > 1):
                yield Issue(f"{pointer}/{field}", f"{member} twice", "each member once")


def _codes(resource: Resource, pointer: str) -> Iterator[Issue]:
    countries = resource.get("countries") or [resource.get("country")]
    for code in filter(None, countries):
        if not _is_country(code):
            field = "countries" if resource.type == "partnership" else "country"
            yield Issue(f"{pointer}/{field}", format_value(code), "an ISO 3166-1 alpha-2 code")
    for field in ("currency", "investment_currency"):
        code = resource.get(field)
        if code and not _is_currency(code):
            yield Issue(f"{pointer}/{field}", format_value(code), "an ISO 4217 code")
    region = resource if isinstance(resource, Region) else None
    if region and (code := region.iso_3166_2) and _country_of(code) != region.country:
        expected = f"an ISO 3166-2 code of {region.country}"
        yield Issue(f"{pointer}/iso_3166_2", format_value(code), expected)


@cache
def _is_country(code: str) -> bool:
    return pycountry.countries.get(alpha_2=code) is not None


@cache
def _is_currency(code: str) -> bool:
    return pycountry.currencies.get(alpha_3=code) is not None


@cache
def _country_of(code: str) -> str | None:
    """The country that an ISO 3166-2 code is of."""
    subdivision = pycountry.subdivisions.get(code=code)  # type: ignore[no-untyped-call]
    return subdivision.country_code if subdivision is not None else None


def _pairs(resource: Resource, pointer: str) -> Iterator[Issue]:
    values = resource.__dict__
    for amount, currency in _MONEY:
        if (values.get(amount) is None) != (values.get(currency) is None):
            missing = amount if values.get(amount) is None else currency
            yield Issue(f"{pointer}/{missing}", "null", "an amount and its currency, or neither")
    for start, end in _PERIODS:
        first, last = values.get(start), values.get(end)
        if first and last and first_day(first) > first_day(last):
            yield Issue(f"{pointer}/{end}", format_value(last), f"no earlier than {start}, {first}")
    if isinstance(resource, Source):
        yield from _furniture(resource, pointer)


def _furniture(source: Source, pointer: str) -> Iterator[Issue]:
    reached = 0
    for index, stretch in enumerate(source.furniture or ()):
        if not reached <= stretch.start < stretch.end <= source.characters:
            expected = f"stretches in order and apart, within {source.characters} characters"
            found = f"{stretch.start} to {stretch.end}"
            yield Issue(f"{pointer}/furniture/{index}", found, expected)
        reached = max(reached, stretch.end)


def _quotes(resource: Resource, pointer: str) -> Iterator[tuple[str, Quote]]:
    """Every quote that a resource rests on, with its place."""
    for field, evidence in resource.evidence.items():
        for index, one in enumerate(evidence):
            if not isinstance(one, Enriched):
                yield f"{pointer}/evidence/{field}/{index}/quote", one.quote


def _wrong_length(quote: Quote, place: str) -> Issue:
    found = f"{quote.start} to {quote.end}, {quote.end - quote.start} code points"
    return Issue(place, found, f"positions of the {len(quote.exact)} code points quoted")


def _contradictions(quotes: list[tuple[int, str, str]]) -> Iterator[Issue]:
    """Quotes of one source that overlap and do not have the same characters there."""
    reach = (0, "", "")
    for start, exact, place in sorted(quotes):
        overlap = reach[1][start - reach[0] :]
        if exact[: len(overlap)] != overlap[: len(exact)]:
            yield Issue(f"{place}/exact", format_value(exact), f"what {reach[2]} has there")
        if start + len(exact) >= reach[0] + len(reach[1]):
            reach = (start, exact, place)
