"""Verification of a record against a copy of the archived page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from app.models import Source
from app.models.evidence import Enriched, Quote
from app.models.notation import noun_for
from app.seed.errors import Issue, format_value, name_differences
from app.seed.record import Record

_BREAK = re.compile(r"(?<=[.!?;])\s+|[\r\n]+")
Span = tuple[int, int]
"""Start and end in a text, in code points."""
_MAX_LINE_CHARACTERS = 40
"""A line up to this length, such as a heading, may be quoted whole; a longer one is a sentence."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes:
        name: What was checked.
        summary: The result in numbers.
        issues: Each failure with its JSON pointer; empty if the check passed.
        skipped: Whether nothing was checked; the summary gives the reason.
    """

    name: str
    summary: str
    issues: Sequence[Issue] = ()
    skipped: bool = False


def check_source(record: Record, content: bytes, source_id: str | None = None) -> list[Check]:
    """Verify a record against the bytes of an archived page that it cites.

    Args:
        record: The record.
        content: The copy of the page.
        source_id: The source that it is a copy of. By default, that is the source with its
            SHA-256, or else the one of whose quotes the copy contains the largest share.

    Raises:
        ValueError: The record has no such source, or the copy is not UTF-8.
    """
    sources = [source for source in record.resources["source"] if isinstance(source, Source)]
    if not sources:
        raise ValueError("the record cites no source")
    text = content.decode("utf-8")
    quotes: dict[str, list[tuple[str, Quote]]] = {source.id: [] for source in sources}
    for location, quote in _quotes(record):
        quotes[quote.source].append((location, quote))
    if source_id is None:
        source_id = _matching_source(sources, quotes, content, text)
    elif source_id not in quotes:
        raise ValueError(f"the record has no source {source_id}, only {', '.join(quotes)}")
    index = list(quotes).index(source_id)
    source, cited = sources[index], quotes[source_id]
    return [
        _check_identity(source, index, content, text),
        _check_positions(cited, text),
        _check_fragments(cited, text),
        _check_coverage(source, index, cited, text),
        _check_furniture(source, index, text),
        _count_cited(record),
    ]


def _matching_source(
    sources: Sequence[Source],
    quotes: Mapping[str, Sequence[tuple[str, Quote]]],
    content: bytes,
    text: str,
) -> str:
    """Id of the source with the digest of a copy, or else with the most of its quotes in it."""
    digest = hashlib.sha256(content).hexdigest()
    for source in sources:
        if source.sha256 == digest:
            return source.id

    def share_of_quotes(source: Source) -> float:
        found = sum(quote.exact in text for _, quote in quotes[source.id])
        return found / max(len(quotes[source.id]), 1)

    return max(sources, key=share_of_quotes).id


def split_sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Start and end of each line and sentence between two positions of a text.

    A sentence ends after `.`, `!`, `?` or `;` that is followed by white space.
    """
    edges = [start]
    for match in _BREAK.finditer(text, start, end):
        edges += match.span()
    edges.append(end)
    yield from zip(edges[::2], edges[1::2], strict=True)


def find_uncited(
    text: str, furniture: Sequence[Span], citations: Sequence[Span]
) -> tuple[int, list[Span]]:
    """Count the sentences of a text outside its furniture, and find those without a citation.

    Pieces without a letter, such as a bullet, are no sentences.
    """
    edges = [0, *(edge for passage in furniture for edge in passage), len(text)]
    sentences = [
        (start, end)
        for passage in list(pairwise(edges))[::2]
        for start, end in split_sentences(text, *passage)
        if any(character.isalpha() for character in text[start:end])
    ]
    uncited = [
        (start, end)
        for start, end in sentences
        if not any(first < end and start < last for first, last in citations)
    ]
    return len(sentences), uncited


def _quotes(record: Record) -> Iterator[tuple[str, Quote]]:
    """Every quote with its JSON pointer in the seed file."""
    for resources in record.resources.values():
        for index, resource in enumerate(resources):
            for field, citations in resource.evidence.items():
                for number, citation in enumerate(citations):
                    if not isinstance(citation, Enriched):
                        location = f"/{resource.collection}/{index}/evidence/{field}/{number}/quote"
                        yield location, citation.quote


def _check_identity(source: Source, index: int, content: bytes, text: str) -> Check:
    actual = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "characters": len(text),
    }
    issues = [
        Issue(
            f"/sources/{index}/{field}",
            format_value(getattr(source, field)),
            f"{value}, as in the copy",
        )
        for field, value in actual.items()
        if getattr(source, field) != value
    ]
    return Check("The copy is the cited page", f"{source.id}, {source.sha256[:12]}", issues)


def _check_positions(quotes: Sequence[tuple[str, Quote]], text: str) -> Check:
    issues = []
    for location, quote in quotes:
        actual = text[quote.start : quote.end]
        if actual != quote.exact:
            elsewhere = text.find(quote.exact)
            hint = f"; the quote is at {elsewhere}" if elsewhere >= 0 else ""
            found = f"{format_value(quote.exact)} at {quote.start}"
            named = name_differences(quote.exact, actual)
            issues.append(Issue(location, found, f"{format_value(actual)}{named}{hint}"))
    return Check("Quotes at their position", _ratio(len(quotes) - len(issues), len(quotes)), issues)


def _check_fragments(quotes: Sequence[tuple[str, Quote]], text: str) -> Check:
    sentences = [
        (start, end)
        for start, end in split_sentences(text, 0, len(text))
        if end - start > _MAX_LINE_CHARACTERS
    ]
    issues = [
        Issue(location, "a whole sentence", "a fragment of a sentence")
        for location, quote in quotes
        if any(quote.start <= start and end <= quote.end for start, end in sentences)
    ]
    return Check(
        "Quotes that are fragments", _ratio(len(quotes) - len(issues), len(quotes)), issues
    )


def _check_furniture(source: Source, index: int, text: str) -> Check:
    """Text that is excluded from the coverage must be whole lines and sentences."""
    edges = {edge for sentence in split_sentences(text, 0, len(text)) for edge in sentence}
    passages = source.furniture or ()
    issues = [
        Issue(
            f"/sources/{index}/furniture/{number}",
            format_value(edge),
            "the start or end of a sentence or line",
        )
        for number, passage in enumerate(passages)
        for edge in (passage.start, passage.end)
        if edge not in edges
    ]
    return Check("Passages excluded from coverage", str(len(passages)), issues)


def _check_coverage(
    source: Source, index: int, quotes: Sequence[tuple[str, Quote]], text: str
) -> Check:
    """Every sentence outside the furniture must be quoted, at least in part."""
    sentences, uncited = find_uncited(
        text,
        [(passage.start, passage.end) for passage in source.furniture or ()],
        [(quote.start, quote.end) for _, quote in quotes],
    )
    issues = [
        Issue(f"/sources/{index}", f"no citation from {start} to {end}", "at least one citation")
        for start, end in uncited
    ]
    covered = sentences - len(issues)
    share = covered / sentences if sentences else 1.0
    summary = f"{_ratio(covered, sentences)} {noun_for(sentences, 'sentence')}, {share:.0%}"
    return Check("Coverage of the text", summary, issues)


def _count_cited(record: Record) -> Check:
    """Count the values with a citation; loading a record has ensured that all have one."""
    values = cited = 0
    for resource in record:
        for field in type(resource).cited_fields():
            if getattr(resource, field) is not None:
                values += 1
                cited += field in resource.evidence
    return Check("Values that are cited", _ratio(cited, values))


def _ratio(part: int, total: int) -> str:
    return f"{part} of {total}"
