"""Footnotes of the record page: the citations of each value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from string import whitespace
from typing import Any
from urllib.parse import quote

from app.pages.record.documents import DocumentReader, Excerpt, Json

_BETWEEN_TERMS = f"{whitespace}\u00a0•◦▪‣"
_MAX_FURTHER_CITATIONS = 150
"""Citations on the whole page, not counting the first of each footnote."""


@dataclass(slots=True)
class Footnote:
    """Citations of one field of one resource.

    Attributes:
        number: Number on the page, from 1.
        resource_name: Short name, name or title of the resource.
        field: Name of the field.
        citations: Citations that support the value, as far as the page shows them.
        marker_count: Number of markers on the page that link here.
    """

    number: int
    resource_name: str
    field: str
    citations: Excerpt
    marker_count: int = 0

    @property
    def basis(self) -> str:
        """Basis of the first citation."""
        basis: str = self.citations.items[0]["basis"]
        return basis


@dataclass(frozen=True, slots=True)
class FootnoteMarker:
    """A link to a footnote next to a value.

    Attributes:
        footnote: The footnote.
        occurrence: Which of the links to this footnote it is, from 1.
    """

    footnote: Footnote
    occurrence: int


@dataclass(slots=True)
class Footnotes:
    """Footnotes in the order in which the page first links to them.

    Each shows its first citation, and all together a limited number of further ones, so that the
    size of the page is bounded.
    """

    reader: DocumentReader
    footnotes: list[Footnote] = field(default_factory=list)
    _by_field: dict[tuple[str, str], Footnote] = field(default_factory=dict)
    _room: int = _MAX_FURTHER_CITATIONS

    def add_marker(self, resource: Json, name: str) -> FootnoteMarker | None:
        """A new marker for a field, whose footnote is added if needed; None without citations."""
        path = resource["links"]["self"]
        citations = self.reader.citations.get(path, {}).get(name)
        if citations is None:
            return None
        footnote = self._by_field.get((path, name))
        if footnote is None:
            footnote = self._by_field[path, name] = self._add_footnote(resource, name, citations)
        footnote.marker_count += 1
        return FootnoteMarker(footnote, footnote.marker_count)

    def _add_footnote(self, resource: Json, name: str, citations: Excerpt) -> Footnote:
        """A new footnote, with as many of the citations as the page still has room for."""
        excerpt = replace(citations, items=citations.items[: 1 + self._room])
        self._room -= len(excerpt) - 1
        label = self.reader.label(resource)
        footnote = Footnote(len(self.footnotes) + 1, label, name, excerpt)
        self.footnotes.append(footnote)
        return footnote

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


def _encode_term(text: str) -> str:
    """A term of a text directive; browsers ignore the white space and bullets between terms."""
    return quote(text.strip(_BETWEEN_TERMS), safe="").replace("-", "%2D")
