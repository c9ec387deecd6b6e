"""Whether what is quoted bears out the value beside it.

A citation can be found at its place and still not say what is claimed. Where the value is of
a kind that can be compared (a date, a number, a name, a reference to something named), at
least one of its quotes must contain it in a notation that a page would use.
"""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Iterator, Mapping

from app.folding import fold
from app.models import Resource
from app.models.evidence import Enriched, Stated
from app.models.partnership import Precedence

Names = Mapping[tuple[str, str], Resource]

_DATES = {"signed", "ends", "announced", "archived_from", "archived_to"}
_NUMBERS = {"planned_years", "investment_amount", "amount"}
_WORDS = {"name", "short_name", "aliases", "stakeholders", "supports", "trafficking_forms"}
_CARDINALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def disagreements(resource: Resource, names: Names) -> Iterator[tuple[str, str, str]]:
    """Fields whose quotes do not contain their value: field, what is found, what is expected.

    Dates and numbers are compared when stated or derived; words and references when stated.
    """
    for field, evidence in resource.evidence.items():
        value = getattr(resource, field, None)
        quotes = [one.quote.exact for one in evidence if not isinstance(one, Enriched)]
        if value is None or not quotes:
            continue
        stated = any(isinstance(one, Stated) for one in evidence)
        for wanted in _wanted(resource, field, value, stated, names):
            if not any(_contains(quotes, notation) for notation in wanted):
                found = f"{value!r}, not borne out by {' / '.join(quotes)!r}"
                yield field, found, f"a quote with {' or '.join(repr(one) for one in wanted)}"
                break


def _wanted(
    resource: Resource, field: str, value: object, stated: bool, names: Names
) -> Iterator[list[str]]:
    """For each part of a value, the notations of which one must be quoted."""
    members = value if isinstance(value, list) else [value]
    for member in members:
        if field in _DATES:
            yield [_written_date(str(member))]
        elif field in _NUMBERS and isinstance(member, int):
            yield _written_number(member)
        elif isinstance(member, Precedence):
            yield _written_ordinal(member.ordinal)
        elif stated and field in _WORDS:
            yield [str(member)]
        elif stated and field in resource.references:
            named = names.get((resource.references[field], str(member)))
            if named is not None:
                yield _called(named)


def _contains(quotes: list[str], notation: str) -> bool:
    """Whether the words of a notation all stand in the quotes, numbers and months in order."""
    text = " ".join(_words(" ".join(quotes)))
    if re.search(r"[0-9]", notation):
        return f" {' '.join(_words(notation))} " in f" {text} "
    return set(_words(notation)) <= set(text.split())


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text))


def _written_date(value: str) -> str:
    year, *rest = value.split("-")
    month = f"{month_name[int(rest[0])]} " if rest else ""
    day = f"{int(rest[1])}, " if len(rest) > 1 else ""
    return f"{month}{day}{year}"


def _written_number(value: int) -> list[str]:
    notations = [str(value), f"{value:,}"]
    if value % 1_000_000 == 0:
        notations.append(f"{value // 1_000_000} million")
    if 0 < value <= len(_CARDINALS):
        notations.append(_CARDINALS[value - 1])
    return notations


def _written_ordinal(value: int) -> list[str]:
    return [_ORDINALS[value - 1]] if value <= len(_ORDINALS) else [f"{value}th"]


def _called(resource: Resource) -> list[str]:
    """What a resource may be called where it is referred to."""
    fields = ("name", "short_name", "title")
    return [
        *(name for field in fields if (name := getattr(resource, field, None))),
        *(getattr(resource, "aliases", None) or ()),
    ]
