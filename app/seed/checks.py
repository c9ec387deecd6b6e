"""Consistency checks between the parts of a record, beyond the schema of each."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache

import pycountry

from app.models import Award, Objective, Region, Resource, Source
from app.models.citation import citation_suffixes
from app.models.dates import first_day, last_day
from app.models.evidence import MAX_QUOTE_CHARACTERS, Enriched, Quote
from app.models.notation import count_noun, noun_for
from app.seed.comparisons import money_qualifiers
from app.seed.errors import Issue, format_value, name_differences
from app.seed.evidence_check import (
    Mismatch,
    has_stated_references,
    resource_names,
    unsupported_references,
    unsupported_values,
)

_MONEY_FIELDS = (("amount", "currency"), ("investment_amount", "investment_currency"))
_QUALIFIER_FIELDS = (
    ("amount", "amount_qualifier"),
    ("investment_amount", "investment_qualifier"),
)
_PERIOD_FIELDS = (("signed", "ends"), ("announced", "ends"), ("archived_from", "archived_to"))
_REGION_CODES = ("iso_3166_2", "inei_ubigeo", "wikidata")
"""ISO 3166-2; the national statistics institute INEI; Wikidata."""


class SeedChecks:
    """Checks each resource, and collects what can only be checked once all are known.

    Attributes:
        region_codes: Codes of every region, to compare with the properties of its GeoJSON feature.
    """

    def __init__(self) -> None:
        self.region_codes: list[tuple[str, str, dict[str, str | None]]] = []
        self._ids: dict[tuple[str, str], str] = {}
        self._names: dict[tuple[str, str], list[str]] = {}
        self._parents: dict[tuple[str, str], tuple[str, str]] = {}
        self._source_lengths: dict[str, int] = {}
        self._quotes: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        self._positions: dict[tuple[str, str, int], str] = {}
        self._incomplete: set[str] = set()
        self._unresolved: list[tuple[tuple[str, str], str]] = []
        self._objectives: list[tuple[str, tuple[str, str], list[str]]] = []
        self._with_stated_references: list[tuple[str, Resource]] = []

    def add_id(self, type_: str, id_: str, pointer: str) -> Iterator[Issue]:
        """Record an id, also of an invalid resource, so that references to it resolve."""
        first = self._ids.setdefault((type_, id_), pointer)
        if first != pointer:
            yield Issue(f"{pointer}/id", format_value(id_), f"an id other than that of {first}")

    def add(self, resource: Resource, pointer: str) -> Iterator[Issue]:
        """Check a resource by itself, and record what `finish` needs."""
        yield from _check_nulls(resource, pointer)
        yield from _check_duplicates(resource, pointer)
        yield from _check_citations(resource, pointer)
        yield from _check_codes(resource, pointer)
        yield from _check_pairs(resource, pointer)
        yield from self._check_position(resource, pointer)
        yield from _mismatch_issues(pointer, unsupported_values(resource))
        for location, quote in _quotes(resource, pointer):
            if quote.end - quote.start != len(quote.exact):
                yield _wrong_length(quote, location)
            if quote.prefix or quote.suffix:
                yield from _check_context(quote, location)
            self._quotes[quote.source].append((*quote.context, location))
        self._collect(resource, pointer)

    def add_invalid(self, type_: str) -> None:
        """Note a resource that is invalid in itself: the positions of its type are then unknown."""
        self._incomplete.add(type_)

    def pointer_of(self, type_: str, id_: str) -> str | None:
        """JSON pointer of a resource; None if there is none."""
        return self._ids.get((type_, id_))

    def finish(self) -> Iterator[Issue]:
        """Check what depends on several resources."""
        for (type_, id_), location in self._unresolved:
            if (type_, id_) not in self._ids:
                yield Issue(location, format_value(id_), f"the id of one of the {type_}s")
        for source, quotes in self._quotes.items():
            yield from self._check_quotes(source, quotes)
        for pointer, parent, objectives in self._objectives:
            yield from self._check_objectives(pointer, parent, objectives)
        for (type_, parent_id, position), pointer in self._positions.items():
            previous = (type_, parent_id, position - 1)
            is_first = position == 1 or type_ in self._incomplete
            if not is_first and previous not in self._positions:
                expected = f"consecutive positions in {parent_id}, starting at 1"
                yield Issue(f"{pointer}/position", str(position), expected)
        for pointer, resource in self._with_stated_references:
            yield from _mismatch_issues(pointer, unsupported_references(resource, self._names))

    def _collect(self, resource: Resource, pointer: str) -> None:
        for field, type_ in resource.references.items():
            for id_ in _as_list(resource.get(field)):
                if (type_, id_) not in self._ids:
                    self._unresolved.append(((type_, id_), f"{pointer}/{field}"))
        key = (resource.type, resource.id)
        self._names[key] = resource_names(resource)
        if resource.parent_field is not None:
            parent_id = resource.get(resource.parent_field)
            parent = resource.references[resource.parent_field], parent_id
            if isinstance(resource, Objective | Award):
                self._parents[key] = parent
            if objectives := resource.get("objectives"):
                self._objectives.append((pointer, parent, objectives))
        if has_stated_references(resource):
            self._with_stated_references.append((pointer, resource))
        if isinstance(resource, Source):
            self._source_lengths[resource.id] = resource.characters
        if isinstance(resource, Region):
            codes = {field: resource.get(field) for field in _REGION_CODES}
            self.region_codes.append((pointer, resource.id, codes))

    def _check_position(self, resource: Resource, pointer: str) -> Iterator[Issue]:
        position = resource.get("position")
        if resource.parent_field is None or position is None:
            return
        key = (resource.type, resource.get(resource.parent_field), position)
        first = self._positions.setdefault(key, pointer)
        if first != pointer:
            expected = f"a position other than that of {first}"
            yield Issue(f"{pointer}/position", str(position), expected)

    def _check_quotes(self, source: str, quotes: list[tuple[int, str, str]]) -> Iterator[Issue]:
        """Quotes must be from a known source, within its length, and must not conflict."""
        if ("source", source) not in self._ids:
            for _, _, location in quotes:
                yield Issue(f"{location}/source", format_value(source), "the id of a source")
            return
        length = self._source_lengths.get(source, sys.maxsize)
        for start, exact, location in quotes:
            if start + len(exact) > length:
                expected = f"at most {length}, the length of the source"
                yield Issue(f"{location}/end", str(start + len(exact)), expected)
        yield from _conflicts(quotes)

    def _check_objectives(
        self, pointer: str, parent: tuple[str, str], objectives: Sequence[str]
    ) -> Iterator[Issue]:
        """Objectives must belong to the same partnership as the award or activity."""
        own = self._parents.get(parent, parent)
        for id_ in objectives:
            other = self._parents.get(("objective", id_), own)
            if own[0] == "partnership" and other != own:
                expected = f"an objective of {own[1]}"
                yield Issue(f"{pointer}/objectives", format_value(id_), expected)


def _mismatch_issues(pointer: str, mismatches: Iterator[Mismatch]) -> Iterator[Issue]:
    for field, found, expected in mismatches:
        yield Issue(f"{pointer}/{field}", found, expected)


def _as_list(value: str | list[str] | None) -> Sequence[str]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _check_nulls(resource: Resource, pointer: str) -> Iterator[Issue]:
    fields = type(resource).cited_fields()
    values = resource.__dict__
    null = {field for field in fields if values[field] is None}
    if fields - null == resource.evidence.keys() and null.issuperset(resource.not_stated):
        return  # the common case, without sorting
    for field in sorted(fields):
        value, cited = resource.get(field), field in resource.evidence
        if value is None and cited:
            yield Issue(f"{pointer}/{field}", "null with a citation", "a value, or no citation")
        if value is not None and not cited:
            yield Issue(f"{pointer}/evidence/{field}", "nothing", "at least one citation")
    for field in resource.evidence:
        if field not in fields:
            expected = f"one of the fields with citations: {', '.join(sorted(fields))}"
            yield Issue(f"{pointer}/evidence/{field}", "citations", expected)
    for index, field in enumerate(resource.not_stated):
        location = f"{pointer}/not_stated/{index}"
        if field not in fields:
            yield Issue(location, format_value(field), f"one of {', '.join(sorted(fields))}")
        elif resource.get(field) is not None:
            yield Issue(location, f"{field}, which has a value", "a field that is null")


def _check_duplicates(resource: Resource, pointer: str) -> Iterator[Issue]:
    for field, value in resource.__dict__.items():
        if isinstance(value, list) and len(set(value)) < len(value):
            counts = Counter(map(format_value, value))
            for member in sorted(member for member, count in counts.items() if count > 1):
                yield Issue(f"{pointer}/{field}", f"{member} more than once", "unique values")


def _check_citations(resource: Resource, pointer: str) -> Iterator[Issue]:
    """A field cites the same words, or the same publication, only once."""
    for field, citations in resource.evidence.items():
        if len(citations) > 1:
            suffixes = citation_suffixes(citations)
            for index, suffix in enumerate(suffixes):
                if (first := suffixes.index(suffix)) != index:
                    expected = f"another quote or reference than in {field}/{first}"
                    location = f"{pointer}/evidence/{field}/{index}"
                    yield Issue(location, "the same quote or reference again", expected)


def _check_codes(resource: Resource, pointer: str) -> Iterator[Issue]:
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
    if region and (code := region.iso_3166_2) and _country_of_subdivision(code) != region.country:
        expected = f"an ISO 3166-2 code of {region.country}"
        yield Issue(f"{pointer}/iso_3166_2", format_value(code), expected)


@cache
def _is_country(code: str) -> bool:
    return pycountry.countries.get(alpha_2=code) is not None


@cache
def _is_currency(code: str) -> bool:
    return pycountry.currencies.get(alpha_3=code) is not None


@cache
def _country_of_subdivision(code: str) -> str | None:
    """ISO 3166-1 code of the country of an ISO 3166-2 code; None if there is no such code."""
    subdivision = pycountry.subdivisions.get(code=code)  # type: ignore[no-untyped-call]
    return subdivision.country_code if subdivision is not None else None


def _check_pairs(resource: Resource, pointer: str) -> Iterator[Issue]:
    values = resource.__dict__
    for amount, currency in _MONEY_FIELDS:
        if (values.get(amount) is None) != (values.get(currency) is None):
            missing = amount if values.get(amount) is None else currency
            yield Issue(f"{pointer}/{missing}", "null", "an amount and its currency, or neither")
    for amount, qualifier in _QUALIFIER_FIELDS:
        if values.get(amount) is None and values.get(qualifier) is not None:
            yield Issue(
                f"{pointer}/{qualifier}", format_value(values[qualifier]), "an amount, or null"
            )
        elif values.get(amount) is not None and values.get(qualifier) is None:
            yield from _check_unqualified(resource, pointer, amount, qualifier)
    for start, end in _PERIOD_FIELDS:
        first, last = values.get(start), values.get(end)
        if first and last and first_day(first) > last_day(last):
            expected = f"no earlier than {start}, {first}"
            yield Issue(f"{pointer}/{end}", format_value(last), expected)
    if isinstance(resource, Source):
        yield from _check_furniture(resource, pointer)


def _check_unqualified(
    resource: Resource, pointer: str, amount: str, qualifier: str
) -> Iterator[Issue]:
    """An amount without a qualifier must not be quoted with one, such as `up to $5 million`."""
    for citation in resource.evidence.get(amount, ()):
        words = "" if isinstance(citation, Enriched) else citation.quote.exact
        for name in sorted(money_qualifiers(words)):
            expected = f"{format_value(name)}, as {amount} quotes {format_value(words)}"
            yield Issue(f"{pointer}/{qualifier}", "null", expected)


def _check_furniture(source: Source, pointer: str) -> Iterator[Issue]:
    previous_end = 0
    for index, passage in enumerate(source.furniture or ()):
        if not previous_end <= passage.start < passage.end <= source.characters:
            length = count_noun(source.characters, "character")
            expected = f"passages in order, without overlap, within {length}"
            found = f"{passage.start} to {passage.end}"
            yield Issue(f"{pointer}/furniture/{index}", found, expected)
        previous_end = max(previous_end, passage.end)


def _quotes(resource: Resource, pointer: str) -> Iterator[tuple[str, Quote]]:
    """Every quote in the evidence of a resource, with its JSON pointer."""
    for field, citations in resource.evidence.items():
        for index, citation in enumerate(citations):
            if not isinstance(citation, Enriched):
                yield f"{pointer}/evidence/{field}/{index}/quote", citation.quote


def _wrong_length(quote: Quote, location: str) -> Issue:
    length = quote.end - quote.start
    found = f"{quote.start} to {quote.end}, {length} {noun_for(length, 'code point')}"
    expected = f"{count_noun(len(quote.exact), 'code point')}, the length of the quote"
    return Issue(location, found, expected)


def _check_context(quote: Quote, location: str) -> Iterator[Issue]:
    """A quote with its prefix and suffix must be short, and start within the source."""
    start, words = quote.context
    if len(words) > MAX_QUOTE_CHARACTERS:
        found = f"a quote of {count_noun(len(words), 'character')} with its prefix and suffix"
        yield Issue(location, found, f"at most {count_noun(MAX_QUOTE_CHARACTERS, 'character')}")
    if start < 0:
        found = f"{count_noun(len(quote.prefix or ''), 'character')} before {quote.start}"
        yield Issue(f"{location}/prefix", found, "the end of the text before the quote")


def _conflicts(quotes: list[tuple[int, str, str]]) -> Iterator[Issue]:
    """Quotes from one source that overlap must have the same text where they do."""
    furthest = (0, "", "")
    for start, exact, location in sorted(quotes):
        overlap = furthest[1][start - furthest[0] :]
        ours, theirs = exact[: len(overlap)], overlap[: len(exact)]
        if ours != theirs:
            named = name_differences(ours, theirs)
            expected = f"the same text as {furthest[2]}{named}"
            yield Issue(f"{location}/exact", format_value(exact), expected)
        if start + len(exact) >= furthest[0] + len(furthest[1]):
            furthest = (start, exact, location)
