"""The record held against a copy of the archived page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.models import Source
from app.models.evidence import Enriched, Quote
from app.seed.errors import Issue, format_value
from app.seed.record import Record

_BREAK = re.compile(r"(?<=[.!?;])\s+|[\r\n]+")
_LONGEST_WHOLE = 40
"""A piece of text up to this length may be quoted whole; a longer one is a sentence."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        name: What was checked.
        summary: What was counted.
        issues: What is wrong, each with its place in the seed; empty where all is well.
    """

    name: str
    summary: str
    issues: Sequence[Issue] = ()


def check_source(record: Record, content: bytes) -> list[Check]:
    """Hold a record against the bytes of the archived page that it cites.

    The page is recognized by its digest; where no digest fits, the first source is meant and the
    digest is reported as a issue.

    Raises:
        ValueError: The record has no source, or the copy is not UTF-8.
    """
    sources = [one for one in record.resources["source"] if isinstance(one, Source)]
    if not sources:
        raise ValueError("the record cites no source")
    text = content.decode("utf-8")
    actual = hashlib.sha256(content).hexdigest()
    source = next((one for one in sources if one.sha256 == actual), sources[0])
    index = sources.index(source)
    quotes = [(place, quote) for place, quote in _quotes(record) if quote.source == source.id]
    return [
        _identity(source, index, content, text),
        _quoted(quotes, text),
        _fragments(quotes, text),
        _coverage(source, index, quotes, text),
        _furniture(source, index, text),
        _cited(record),
    ]


def split_sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the lines and sentences of a stretch of text begin and end.

    A sentence ends after `.`, `!`, `?` or `;` that white space follows.
    """
    cuts = [start]
    for cut in _BREAK.finditer(text, start, end):
        cuts += cut.span()
    cuts.append(end)
    yield from zip(cuts[::2], cuts[1::2], strict=True)


def _quotes(record: Record) -> Iterator[tuple[str, Quote]]:
    """Every quote with its place in the seed file."""
    for group in record.resources.values():
        for index, resource in enumerate(group):
            for field, evidence in resource.evidence.items():
                for number, one in enumerate(evidence):
                    if not isinstance(one, Enriched):
                        place = f"/{resource.collection}/{index}/evidence/{field}/{number}/quote"
                        yield place, one.quote


def _identity(source: Source, index: int, content: bytes, text: str) -> Check:
    actual = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "characters": len(text),
    }
    issues = [
        Issue(
            f"/sources/{index}/{field}",
            format_value(getattr(source, field)),
            f"{value}, as the copy",
        )
        for field, value in actual.items()
        if getattr(source, field) != value
    ]
    return Check("The copy is the page that was cited", source.sha256[:12], issues)


def _quoted(quotes: Sequence[tuple[str, Quote]], text: str) -> Check:
    issues = []
    for place, quote in quotes:
        there = text[quote.start : quote.end]
        if there != quote.exact:
            elsewhere = text.find(quote.exact)
            hint = f"; the quote stands at {elsewhere}" if elsewhere >= 0 else ""
            found = f"{format_value(quote.exact)} at {quote.start}"
            issues.append(Issue(place, found, f"{format_value(there)}{hint}"))
    return Check("Quotes at their position", _share(len(quotes) - len(issues), len(quotes)), issues)


def _fragments(quotes: Sequence[tuple[str, Quote]], text: str) -> Check:
    sentences = [
        (start, end)
        for start, end in split_sentences(text, 0, len(text))
        if end - start > _LONGEST_WHOLE
    ]
    issues = [
        Issue(place, "a whole sentence", "a fragment of one")
        for place, quote in quotes
        if any(quote.start <= start and end <= quote.end for start, end in sentences)
    ]
    return Check(
        "Quotes that are fragments", _share(len(quotes) - len(issues), len(quotes)), issues
    )


def _furniture(source: Source, index: int, text: str) -> Check:
    """What is left out of the coverage must be whole lines and sentences."""
    edges = {edge for piece in split_sentences(text, 0, len(text)) for edge in piece}
    stretches = source.furniture or ()
    issues = [
        Issue(
            f"/sources/{index}/furniture/{number}",
            format_value(edge),
            "the edge of a sentence or line",
        )
        for number, stretch in enumerate(stretches)
        for edge in (stretch.start, stretch.end)
        if edge not in edges
    ]
    return Check("Stretches left out of it", str(len(stretches)), issues)


def _coverage(source: Source, index: int, quotes: Sequence[tuple[str, Quote]], text: str) -> Check:
    furniture = source.furniture or ()
    edges = [0, *(edge for one in furniture for edge in (one.start, one.end)), len(text)]
    stretches = list(pairwise(edges))[::2]
    told = [
        (start, end)
        for stretch in stretches
        for start, end in split_sentences(text, *stretch)
        if any(character.isalpha() for character in text[start:end])
    ]
    issues = [
        Issue(f"/sources/{index}", f"nothing cited from {start} to {end}", "a citation of it")
        for start, end in told
        if not any(quote.start < end and start < quote.end for _, quote in quotes)
    ]
    covered = len(told) - len(issues)
    share = covered / len(told) if told else 1.0
    return Check(
        "Coverage of the text", f"{_share(covered, len(told))} pieces, {share:.0%}", issues
    )


def _cited(record: Record) -> Check:
    """Every value has its citation: a checked record cannot be without, so this counts."""
    values = cited = 0
    for resource in record:
        for field in type(resource).cited_fields():
            if getattr(resource, field) is not None:
                values += 1
                cited += field in resource.evidence
    return Check("Values that are cited", _share(cited, values))


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}"
