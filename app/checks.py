"""What must hold between the parts of a record, beyond the shape of each."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pycountry

from app.agreement import disagreements
from app.faults import Fault, shown
from app.folding import fold
from app.models import Activity, Organization, Region, Resource, Source
from app.models.dates import first_day
from app.models.evidence import Enriched, Quote

_MONEY = (("amount", "currency"), ("investment_amount", "investment_currency"))
_PERIODS = (("signed", "ends"), ("announced", "ends"), ("archived_from", "archived_to"))
_OUTLINE_CODES = ("iso_3166_2", "inei_ubigeo", "wikidata")


def check_record(
    placed: Sequence[tuple[str, Resource]], known: Mapping[str, set[str]]
) -> Iterator[Fault]:
    """Every fault of references, nulls, evidence, quotes, codes and order.

    Args:
        placed: The resources whose shape is right, each with its place in the file.
        known: Every id in the file by type, those of misshapen resources too.
    """
    quotes: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    names = {(one.type, one.id): one for _, one in placed}
    for pointer, resource in placed:
        yield from _references(resource, pointer, known)
        yield from _siblings(resource, pointer, names)
        yield from _nulls(resource, pointer)
        yield from _lists(resource, pointer)
        yield from _codes(resource, pointer)
        yield from _pairs(resource, pointer)
        for field, position, quote in _quotes(resource):
            place = f"{pointer}/evidence/{field}/{position}/quote"
            if quote.source not in known["source"]:
                yield Fault(f"{place}/source", shown(quote.source), "the id of a source")
                continue
            yield from _quote(quote, place, names.get(("source", quote.source)))
            quotes[quote.source].append((quote.start, quote.exact, place))
        yield from (
            Fault(f"{pointer}/{field}", found, expected)
            for field, found, expected in disagreements(resource, names)
        )
    for group in quotes.values():
        yield from _contradictions(group)
    yield from _positions(placed)


def check_outlines(
    raw: Any, seed: Path, regions: Sequence[Resource]
) -> tuple[dict[str, dict[str, Any]], list[Fault]]:
    """The outlines beside a seed file, by region, and what is wrong with them."""
    path = seed.parent / raw["file"]
    try:
        content = path.read_bytes()
    except OSError as error:
        found = error.strerror or str(error)
        return {}, [Fault("/outlines/file", f"{path.name}: {found}", "a file beside the seed")]
    actual = hashlib.sha256(content).hexdigest()
    if actual != raw["sha256"]:
        return {}, [Fault("/outlines/sha256", raw["sha256"], f"{actual}, as {path.name} has")]
    try:
        parsed = json.loads(content, parse_constant=_refuse_constant)
        features = {feature["id"]: feature for feature in parsed["features"]}
        properties = {
            name: {} if (told := feature.get("properties")) is None else {**told}
            for name, feature in features.items()
        }
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return {}, [Fault("/outlines/file", path.name, "GeoJSON features with ids (RFC 7946)")]
    faults = [
        Fault("/outlines/file", shown(name), "the id of one of the regions")
        for name in features.keys() - {region.id for region in regions}
    ]
    for index, region in enumerate(regions):
        for code in _OUTLINE_CODES:
            told, drawn = getattr(region, code), properties.get(region.id, {}).get(code)
            if told and drawn and told != drawn:
                faults.append(Fault(f"/regions/{index}/{code}", shown(told), f"{drawn}, as drawn"))
    return {name: features[name] for name in features}, faults


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _references(resource: Resource, pointer: str, known: Mapping[str, set[str]]) -> Iterator[Fault]:
    for field, kind in resource.references.items():
        value = getattr(resource, field)
        for name in value if isinstance(value, list) else [value] if value else []:
            if name not in known[kind]:
                yield Fault(f"{pointer}/{field}", shown(name), f"the id of one of the {kind}s")


def _siblings(
    resource: Resource, pointer: str, names: Mapping[tuple[str, str], Resource]
) -> Iterator[Fault]:
    """Objectives must be of the partnership that the award or activity belongs to."""

    def partnership(one: Resource | None) -> str | None:
        while one is not None and one.type != "partnership" and one.parent:
            one = names.get((one.references[one.parent], getattr(one, one.parent)))
        return one.id if one is not None else None

    own = partnership(resource)
    for name in getattr(resource, "objectives", None) or ():
        objective = names.get(("objective", name))
        if own and objective and partnership(objective) != own:
            yield Fault(f"{pointer}/objectives", shown(name), f"an objective of {own}")
    yield from _name(resource, pointer)


def _name(resource: Resource, pointer: str) -> Iterator[Fault]:
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
        yield Fault(f"{pointer}/id", shown(resource.id), f"an id made of {expected}")


def _nulls(resource: Resource, pointer: str) -> Iterator[Fault]:
    fields = type(resource).needs_citation()
    for field in sorted(fields):
        value, cited = getattr(resource, field), field in resource.evidence
        if value is None and cited:
            yield Fault(f"{pointer}/{field}", "null, yet cited", "a value, or no citation")
        if value is not None and not cited:
            yield Fault(f"{pointer}/evidence/{field}", "nothing", "at least one citation")
    for field in resource.evidence:
        if field not in fields:
            expected = f"a field that is cited: {', '.join(sorted(fields))}"
            yield Fault(f"{pointer}/evidence/{field}", "citations", expected)
    for index, field in enumerate(resource.not_stated):
        place = f"{pointer}/not_stated/{index}"
        if field not in fields:
            yield Fault(place, shown(field), f"one of {', '.join(sorted(fields))}")
        elif getattr(resource, field) is not None:
            yield Fault(place, f"{field}, which has a value", "a field that is null")


def _lists(resource: Resource, pointer: str) -> Iterator[Fault]:
    for field in type(resource).model_fields:
        value = getattr(resource, field)
        if isinstance(value, list):
            members = [str(member) for member in value]
            for member in sorted({one for one in members if members.count(one) > 1}):
                yield Fault(f"{pointer}/{field}", f"{member} twice", "each member once")


def _codes(resource: Resource, pointer: str) -> Iterator[Fault]:
    countries = getattr(resource, "countries", None) or [getattr(resource, "country", None)]
    for code in filter(None, countries):
        if pycountry.countries.get(alpha_2=code) is None:
            field = "countries" if hasattr(resource, "countries") else "country"
            yield Fault(f"{pointer}/{field}", shown(code), "an ISO 3166-1 alpha-2 code")
    for field in ("currency", "investment_currency"):
        code = getattr(resource, field, None)
        if code and pycountry.currencies.get(alpha_3=code) is None:
            yield Fault(f"{pointer}/{field}", shown(code), "an ISO 4217 code")
    if isinstance(resource, Region) and (code := resource.iso_3166_2):
        subdivision = pycountry.subdivisions.get(code=code)  # type: ignore[no-untyped-call]
        if subdivision is None or subdivision.country_code != resource.country:
            expected = f"an ISO 3166-2 code of {resource.country}"
            yield Fault(f"{pointer}/iso_3166_2", shown(code), expected)


def _pairs(resource: Resource, pointer: str) -> Iterator[Fault]:
    for amount, currency in _MONEY:
        given = [getattr(resource, field, None) is not None for field in (amount, currency)]
        if any(given) and not all(given):
            missing = currency if given[0] else amount
            yield Fault(f"{pointer}/{missing}", "null", "an amount and its currency, or neither")
    for start, end in _PERIODS:
        first, last = getattr(resource, start, None), getattr(resource, end, None)
        if first and last and first_day(first) > first_day(last):
            yield Fault(f"{pointer}/{end}", shown(last), f"no earlier than {start}, {first}")
    if isinstance(resource, Source):
        yield from _furniture(resource, pointer)


def _furniture(source: Source, pointer: str) -> Iterator[Fault]:
    reached = 0
    for index, stretch in enumerate(source.furniture or ()):
        if not reached <= stretch.start < stretch.end <= source.characters:
            expected = f"stretches in order and apart, within {source.characters} characters"
            found = f"{stretch.start} to {stretch.end}"
            yield Fault(f"{pointer}/furniture/{index}", found, expected)
        reached = max(reached, stretch.end)


def _quotes(resource: Resource) -> Iterator[tuple[str, int, Quote]]:
    for field, evidence in resource.evidence.items():
        for index, one in enumerate(evidence):
            if not isinstance(one, Enriched):
                yield field, index, one.quote


def _quote(quote: Quote, place: str, source: Resource | None) -> Iterator[Fault]:
    length = quote.end - quote.start
    if length != len(quote.exact):
        found = f"{quote.start} to {quote.end}, {length} code points"
        yield Fault(place, found, f"positions of the {len(quote.exact)} code points quoted")
    if isinstance(source, Source) and quote.end > source.characters:
        expected = f"at most {source.characters}, the length of the source"
        yield Fault(f"{place}/end", str(quote.end), expected)


def _contradictions(quotes: list[tuple[int, str, str]]) -> Iterator[Fault]:
    """Quotes of one source that overlap and do not have the same characters there."""
    reach = (0, "", "")
    for start, exact, place in sorted(quotes):
        overlap = reach[1][start - reach[0] :]
        if exact[: len(overlap)] != overlap[: len(exact)]:
            yield Fault(f"{place}/exact", shown(exact), f"what {reach[2]} has there")
        if start + len(exact) >= reach[0] + len(reach[1]):
            reach = (start, exact, place)


def _positions(placed: Sequence[tuple[str, Resource]]) -> Iterator[Fault]:
    """Positions must count from 1 within each parent."""
    taken: dict[tuple[str, str, int], str] = {}
    for pointer, one in placed:
        if one.parent is None or not hasattr(one, "position"):
            continue
        key = (one.type, getattr(one, one.parent), one.position)
        if key in taken:
            expected = f"a position that {taken[key]} does not have"
            yield Fault(f"{pointer}/position", str(one.position), expected)
        taken.setdefault(key, pointer)
    for (kind, owner, position), pointer in taken.items():
        if position > 1 and (kind, owner, position - 1) not in taken:
            expected = f"positions of {owner} counted from 1"
            yield Fault(f"{pointer}/position", str(position), expected)
