"""Footnotes of the record page: each quote once, with the values that it supports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from string import whitespace
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from app.pages.record.documents import DocumentReader, Excerpt, Json

_BETWEEN_TERMS = f"{whitespace}\u00a0•◦▪‣"
_MAX_FURTHER_CITATIONS = 150
"""Citations on the whole page, not counting the first of each value."""


@dataclass(slots=True)
class SupportedValue:
    """A value that the quote of a footnote supports.

    Attributes:
        citation: The citation.
        name: Name of the field.
        resource_name: Short name, name or title of the resource.
        marker_ids: Ids of the markers next to the value.
        excerpt: The value's citations, if this is the last one on the page and there are more.
    """

    citation: Json
    name: str
    resource_name: str
    marker_ids: list[str] = field(default_factory=list)
    excerpt: Excerpt | None = None


@dataclass(slots=True)
class Footnote:
    """A quote, or a reference, with all values that it supports.

    Attributes:
        number: Number on the page, from 1.
        values: The values that it supports.
        marker_count: Number of markers on the page that link here.
    """

    number: int
    values: list[SupportedValue] = field(default_factory=list)
    marker_count: int = 0

    @property
    def citation(self) -> Json:
        """A citation with the quote or the reference, which all of them have in common."""
        return self.values[0].citation

    @property
    def by_basis(self) -> list[list[SupportedValue]]:
        """The values, grouped by basis and remark."""
        groups: dict[tuple[str, str | None], list[SupportedValue]] = {}
        for value in self.values:
            key = value.citation["basis"], value.citation["note"]
            groups.setdefault(key, []).append(value)
        return list(groups.values())


@dataclass(frozen=True, slots=True)
class FootnoteMarker:
    """A link next to a value, to a footnote or to the first of several in a row.

    Attributes:
        id: Id of the link.
        first: Number of the footnote.
        last: Number of the last one; the same as `first` for a single footnote.
        basis: Basis of the value according to these footnotes.
    """

    id: str
    first: int
    last: int
    basis: str


@dataclass
class Footnotes:
    """Footnotes of the page, in the order in which their first markers are added.

    Attributes:
        reader: Reads the citations.
        footnotes: The footnotes.
        folds: Numbers of the footnotes that are listed together, as a range for each list.
    """

    reader: DocumentReader
    footnotes: list[Footnote] = field(default_factory=list)
    folds: list[range] = field(default_factory=list)
    _by_source: dict[object, Footnote] = field(default_factory=dict)
    _by_value: dict[tuple[str, str], list[tuple[Footnote, SupportedValue]]] = field(
        default_factory=dict
    )
    _room: int = _MAX_FURTHER_CITATIONS

    def add_markers(self, resource: Json, name: str) -> list[FootnoteMarker]:
        """New markers for a field, whose footnotes are added if needed; none without citations."""
        path = resource["links"]["self"]
        citations = self.reader.citations.get(path, {}).get(name)
        if citations is None:
            return []
        notes = self._by_value.get((path, name))
        if notes is None:
            label = self.reader.label(resource)
            notes = self._by_value[path, name] = self._add_value(label, name, citations)
        return [_add_marker(run) for run in _runs(notes)]

    def _add_value(
        self, resource_name: str, name: str, citations: Excerpt
    ) -> list[tuple[Footnote, SupportedValue]]:
        """Footnotes for as many citations of a value as the page still has room for, by number."""
        shown = citations.items[: 1 + self._room]
        self._room -= len(shown) - 1
        notes = []
        for citation in shown:
            footnote = self._find_or_add(citation)
            value = SupportedValue(citation, name, resource_name)
            footnote.values.append(value)
            notes.append((footnote, value))
        if len(shown) < citations.total:
            value.excerpt = Excerpt(shown, citations.total, citations.list_path)
        return sorted(notes, key=lambda note: note[0].number)

    def _find_or_add(self, citation: Json) -> Footnote:
        """The footnote with the quote or the reference of a citation."""
        key = _source_key(citation)
        if key not in self._by_source:
            self._by_source[key] = Footnote(len(self.footnotes) + 1)
            self.footnotes.append(self._by_source[key])
        return self._by_source[key]

    def fold(self) -> Markup:
        """A placeholder for the list of the footnotes that were added since the last one.

        The list is rendered last, because later sections add values to earlier footnotes.
        """
        start = self.folds[-1].stop if self.folds else 0
        if start == len(self.footnotes):
            return Markup()
        self.folds.append(range(start, len(self.footnotes)))
        return Markup("<!--notes {}-->").format(len(self.folds) - 1)

    def folded(self) -> Iterator[tuple[str, Sequence[Footnote]]]:
        """Each placeholder with its footnotes."""
        for number, numbers in enumerate(self.folds):
            yield f"<!--notes {number}-->", self.footnotes[numbers.start : numbers.stop]

    def quote_url(self, citation: Json) -> str | None:
        """URL of the quoted words on the archived page; None if the page's URL is unknown."""
        source = self._find_source(citation)
        url = source["url"] if source else None
        if url is None:
            return None
        words = citation["target"]["selector"][0]
        return text_fragment_url(url, words["exact"], words["prefix"], words["suffix"])

    def _find_source(self, citation: Json) -> Json | None:
        if citation["target"] is None:
            return None
        return self.reader.find("sources", citation["target"]["source"].rpartition("/")[2])


def selectors_by_type(citation: Json) -> Mapping[str, Any]:
    """Selectors of a citation's target by type; the text quote as a plain string."""
    selectors = {selector["type"]: selector for selector in citation["target"]["selector"]}
    return {**selectors, "TextQuoteSelector": selectors["TextQuoteSelector"]["exact"]}


def text_fragment_url(
    url: str, text: str, prefix: str | None = None, suffix: str | None = None
) -> str:
    """URL that scrolls a browser to a text (URL Fragment Text Directives, section 3).

    Args:
        url: URL of the page.
        text: The text.
        prefix: Text before it, if it occurs more than once.
        suffix: Text after it, if it occurs more than once.
    """
    terms = [
        *([f"{_encode_term(prefix)}-"] if prefix else []),
        _encode_term(text),
        *([f"-{_encode_term(suffix)}"] if suffix else []),
    ]
    return f"{url}{'' if '#' in url else '#'}:~:text={','.join(terms)}"


def _source_key(citation: Json) -> object:
    """What citations of the same footnote have in common: the quote and its place, or the work."""
    if citation["target"] is not None:
        position = selectors_by_type(citation)["TextPositionSelector"]
        return citation["target"]["source"], position["start"], position["end"]
    reference = citation["reference"]
    return reference and (reference["title"], reference["url"], reference["license"])


def _runs(
    notes: Iterable[tuple[Footnote, SupportedValue]],
) -> Iterator[list[tuple[Footnote, SupportedValue]]]:
    """Footnotes of a value, in runs of successive numbers and the same basis."""
    numbered = enumerate(notes)
    for _, run in groupby(
        numbered, lambda item: (item[1][0].number - item[0], item[1][1].citation["basis"])
    ):
        yield [note for _, note in run]


def _add_marker(run: Sequence[tuple[Footnote, SupportedValue]]) -> FootnoteMarker:
    first, last = run[0][0], run[-1][0]
    first.marker_count += 1
    id_ = f"r{first.number}-{first.marker_count}"
    for _, value in run:
        value.marker_ids.append(id_)
    return FootnoteMarker(id_, first.number, last.number, run[0][1].citation["basis"])


def _encode_term(text: str) -> str:
    """A term of a text directive; browsers ignore the white space and bullets between terms."""
    return quote(text.strip(_BETWEEN_TERMS), safe="").replace("-", "%2D")
