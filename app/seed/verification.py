"""Verification of a record against copies of the archived pages that it cites.

A copy is either the cited text, byte for byte, or another one, in which the quotes stand at other
positions or are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from app.models import Source
from app.models.evidence import Enriched, Quote
from app.models.notation import count_noun
from app.seed.alignment import AlignedQuotes
from app.seed.captures import ArchivedPage
from app.seed.copies import PageCopy, read_copies
from app.seed.errors import Issue, format_value, name_differences
from app.seed.quotes import Span, occurrences
from app.seed.record import Record
from app.seed.report import Check
from app.seed.sentences import long_sentences, measure_coverage, split_sentences
from app.seed.word_search import context_members

COVERAGE_CHECK = "Coverage of the text"
_CitedQuote = tuple[str, Quote]
"""A quote after its JSON pointer in the seed file."""
_Result = tuple[str, Sequence[Issue]]
"""The summary and the issues of a check."""


def verify_copies(
    record: Record, path: str, source_id: str | None = None, timestamp: str | None = None
) -> list[Check]:
    """Verify a record against a file with copies of the archived pages that it cites.

    Args:
        record: The record.
        path: Path of the file, or `-` for standard input.
        source_id: The source that it is a copy of; by default, that is found out.
        timestamp: Time of the capture in a web archive, or the start of it.

    Raises:
        ValueError: The record has no such source, or the file no copy of one.
        OSError: The file cannot be read.
    """
    sources = _sources(record, source_id)
    copies = read_copies(path, [ArchivedPage.of(source) for source in sources], timestamp)
    return [
        check for copy in copies for check in check_source(record, copy, copy.source or source_id)
    ]


def check_source(record: Record, copy: PageCopy, source_id: str | None = None) -> list[Check]:
    """Verify a record against a copy of an archived page that it cites.

    Args:
        record: The record.
        copy: The copy.
        source_id: The source that it is a copy of. By default, that is the source with its
            SHA-256, or else the one of whose quotes the copy contains the largest share.

    Raises:
        ValueError: The record has no such source.
    """
    quotes: dict[str, list[_CitedQuote]] = {source.id: [] for source in _sources(record)}
    for location, quote in _quotes(record):
        quotes[quote.source].append((location, quote))
    sources = _sources(record, source_id)
    source = _matching_source(sources, quotes, copy)
    cited = sorted(quotes[source.id], key=lambda cited: cited[1].start)
    comparison = _Comparison(source, f"/sources/{list(quotes).index(source.id)}", cited, copy)
    return [*comparison.checks(), _count_cited(record)]


def _sources(record: Record, source_id: str | None = None) -> list[Source]:
    """The sources of a record, or the one with an id.

    Raises:
        ValueError: There is none.
    """
    sources = [source for source in record.resources["source"] if isinstance(source, Source)]
    if not sources:
        raise ValueError("the record cites no source")
    selected = [source for source in sources if source_id in {None, source.id}]
    if not selected:
        ids = ", ".join(source.id for source in sources)
        raise ValueError(f"the record has no source {source_id}, only {ids}")
    return selected


def _matching_source(
    sources: Sequence[Source], quotes: Mapping[str, Sequence[_CitedQuote]], copy: PageCopy
) -> Source:
    """The source with the digest of a copy, or else with the most of its quotes in it."""

    def likeness(source: Source) -> tuple[bool, float]:
        return copy.likeness(source.sha256, [quote.exact for _, quote in quotes[source.id]])

    return max(sources, key=likeness)


class _Comparison:
    """A source compared with a copy of it.

    Positions in another text than the cited one are a matter of the copy, not of the record.

    Attributes:
        source: The source.
        pointer: JSON pointer to it.
        cited: Its quotes with their JSON pointers, in the order of the page.
        copy: The copy.
        is_cited_text: Whether the copy is the cited text, byte for byte.
    """

    def __init__(
        self, source: Source, pointer: str, cited: Sequence[_CitedQuote], copy: PageCopy
    ) -> None:
        self.source, self.pointer, self.cited, self.copy = source, pointer, cited, copy
        self.is_cited_text = copy.sha256 == source.sha256
        self.aligned = AlignedQuotes([quote for _, quote in cited], copy.text)

    def checks(self) -> list[Check]:
        """Every check of the copy."""
        return [
            self._check("The copy is the cited text", *self._identity()),
            Check("Quotes in the copy, in order", *self._words()),
            self._check("Quotes at their position", *self._positions()),
            self._check_cited_text("Quotes that are unique", self._contexts),
            self._check_cited_text("Quotes that are fragments", self._fragments),
            self._check(COVERAGE_CHECK, *self._coverage()),
            self._check_cited_text("Passages excluded from coverage", self._furniture),
        ]

    def _check(self, name: str, summary: str, issues: Sequence[Issue]) -> Check:
        """A check whose issues are errors in the cited text, and differences in another one."""
        if self.is_cited_text:
            return Check(name, summary, issues)
        return Check(name, summary, differences=issues)

    def _check_cited_text(self, name: str, check: Callable[[], _Result]) -> Check:
        """A check that depends on the layout, so that no other text is checked."""
        if self.is_cited_text:
            return Check(name, *check())
        return Check(name, "checked in the cited text only", skipped=True)

    def _identity(self) -> _Result:
        actual = {
            "sha256": self.copy.sha256,
            "bytes": len(self.copy.content),
            "characters": len(self.copy.text),
        }
        issues = [
            Issue(
                f"{self.pointer}/{field}",
                format_value(getattr(self.source, field)),
                f"{value}, as in the copy",
            )
            for field, value in actual.items()
            if getattr(self.source, field) != value
        ]
        summary = f"{self.source.id}, {self.source.sha256[:12]}; {self.copy.origin}"
        return summary, issues

    def _words(self) -> _Result:
        """Every quote must be in the copy, in the order of the source."""
        issues = [
            Issue(location, _quote_at(quote), self.aligned.describe_instead(quote))
            for (location, quote), span in zip(self.cited, self.aligned.spans, strict=True)
            if span is None
        ]
        return self._without(issues), issues

    def _positions(self) -> _Result:
        """Neighbors that are moved by as much are reported together."""
        moves = [
            (location, quote, self._difference(quote, span))
            for (location, quote), span in zip(self.cited, self.aligned.spans, strict=True)
            if span is not None
        ]
        issues = []
        for (shift, words), group in groupby(moves, key=itemgetter(2)):
            (location, quote, _), *others = group
            if shift or words:
                more = f", and {count_noun(len(others), 'quote')} after it" if others else ""
                moved = f"position {quote.start + shift} ({shift:+})" if shift else ""
                expected = ", ".join(filter(None, (words, moved)))
                issues.append(Issue(location, f"{_quote_at(quote)}{more}", expected))
        in_place = sum(not any(difference) for _, _, difference in moves)
        return _ratio(in_place, len(self.cited)), issues

    def _difference(self, quote: Quote, span: Span) -> tuple[int, str]:
        """How far a quote is moved, and what it is in the copy if that is not the same."""
        words = self.copy.text[slice(*span)]
        named = name_differences(quote.exact, words)
        shift = span[0] - quote.start
        return shift, "" if words == quote.exact else f"{format_value(words)}{named}"

    def _contexts(self) -> _Result:
        """Every quote must occur only once, with its prefix and suffix."""
        text, issues = self.copy.text, []
        for location, quote in self.cited:
            start, words = quote.context
            if words != quote.exact and not text.startswith(words, max(start, 0)):
                found = f"{format_value(words)} at {start}"
                issues.append(Issue(location, found, "the text before and after the quote"))
            elif len(starts := occurrences(text, words)) > 1:
                found = f"{format_value(words)}, which occurs {count_noun(len(starts), 'time')}"
                context = context_members(text, quote.start, quote.end)
                expected = f"a context such as {format_value(context)}" if context else "more words"
                issues.append(Issue(location, found, expected))
        return self._without(issues), issues

    def _fragments(self) -> _Result:
        """No quote may be a whole sentence, with its prefix and suffix."""
        sentences = long_sentences(self.copy.text)
        issues = []
        for location, quote in self.cited:
            first, words = quote.context
            if any(first <= start and end <= first + len(words) for start, end in sentences):
                issues.append(Issue(location, "a whole sentence", "a fragment of a sentence"))
        return self._without(issues), issues

    def _coverage(self) -> _Result:
        """Every sentence outside the furniture must be quoted, at least in part."""
        text, cited = self.copy.text, zip(self.cited, self.aligned.spans, strict=True)
        coverage = measure_coverage(
            text,
            [self._place(passage.start, passage.end) for passage in self.source.furniture or ()],
            [span or (quote.start, quote.end) for (_, quote), span in cited],
        )
        issues = [
            Issue(
                self.pointer,
                f"no citation from {start} to {end}, {format_value(text[start:end])}",
                "at least one citation",
            )
            for start, end in coverage.uncited
        ]
        return f"{coverage.ratio}, {coverage.share:.0%}", issues

    def _place(self, start: int, end: int) -> Span:
        """Where a passage of the source is in the copy: whole sentences or lines."""
        if self.is_cited_text:
            return start, end
        start, end = self.aligned.position(start), self.aligned.position(end)
        sentences = list(split_sentences(self.copy.text, 0, len(self.copy.text)))
        return (
            max(first for first, _ in sentences if first <= start),
            min(last for _, last in sentences if last >= end),
        )

    def _furniture(self) -> _Result:
        """Text that is excluded from the coverage must be whole lines and sentences."""
        text = self.copy.text
        edges = {edge for sentence in split_sentences(text, 0, len(text)) for edge in sentence}
        passages = self.source.furniture or ()
        issues = [
            Issue(
                f"{self.pointer}/furniture/{number}",
                format_value(edge),
                "the start or end of a sentence or line",
            )
            for number, passage in enumerate(passages)
            for edge in (passage.start, passage.end)
            if edge not in edges
        ]
        return str(len(passages)), [*issues, *self._furniture_words()]

    def _furniture_words(self) -> Iterator[Issue]:
        """First and last words of excluded passages that are not in the text."""
        for number, passage in enumerate(self.source.furniture or ()):
            pointer = f"{self.pointer}/furniture/{number}"
            text = self.copy.text[passage.start : passage.end]
            first, last = passage.starts_with or "", passage.ends_with or ""
            if not text.startswith(first):
                found = format_value(text[: len(first)])
                yield Issue(f"{pointer}/starts_with", format_value(first), found)
            if not text.endswith(last):
                found = format_value(text[-len(last) :])
                yield Issue(f"{pointer}/ends_with", format_value(last), found)

    def _without(self, issues: Sequence[Issue]) -> str:
        """How many quotes have no issue."""
        return _ratio(len(self.cited) - len(issues), len(self.cited))


def _quote_at(quote: Quote) -> str:
    return f"{format_value(quote.exact)} at {quote.start}"


def _quotes(record: Record) -> Iterator[_CitedQuote]:
    """Every quote with its JSON pointer in the seed file."""
    for resources in record.resources.values():
        for index, resource in enumerate(resources):
            for field, citations in resource.evidence.items():
                for number, citation in enumerate(citations):
                    if not isinstance(citation, Enriched):
                        location = f"/{resource.collection}/{index}/evidence/{field}/{number}/quote"
                        yield location, citation.quote


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
