"""Citations: the evidence for each value of each resource."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from json.encoder import encode_basestring as _json_string
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field
from typing_extensions import TypeAliasType

from app.models.base import Model
from app.models.document import Document
from app.models.evidence import (
    BASIS_MEANINGS,
    MAX_QUOTE_CHARACTERS,
    Enriched,
    Evidence,
    Quote,
    Reference,
)
from app.models.filters import Filter, Sort
from app.models.resource import Resource
from app.models.values import FIELD_EXPECTED, FIELD_PATTERN, FieldName, Id

Basis = TypeAliasType("Basis", Literal["stated", "derived", "editorial", "enriched"])
ResourceType = TypeAliasType(
    "ResourceType",
    Literal["partnership", "objective", "award", "activity", "region", "organization", "source"],
)
CITATION_ID_PATTERN = r"^[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9_]+\.[0-9a-f]{8}$"
_SUFFIX_CHARACTERS = 8


class TextQuoteSelector(Model):
    """The quoted fragment (W3C Web Annotation Data Model, 4.2.4)."""

    type: Literal["TextQuoteSelector"]
    exact: str = Field(
        max_length=MAX_QUOTE_CHARACTERS, description="The fragment, at most 80 characters."
    )
    prefix: str | None = Field(
        description="Text right before the fragment, if it occurs more than once in the source."
    )
    suffix: str | None = Field(
        description="Text right after the fragment, if it occurs more than once in the source."
    )


class TextPositionSelector(Model):
    """Position of the fragment (W3C Web Annotation Data Model, 4.2.5)."""

    type: Literal["TextPositionSelector"]
    start: int = Field(ge=0, description="Index of the first Unicode code point, from 0.")
    end: int = Field(ge=1, description="Index after the last Unicode code point.")


class SpecificResource(Model):
    """A fragment of an archived text (W3C Web Annotation Data Model, 4)."""

    type: Literal["SpecificResource"]
    source: str = Field(description="Path of the source.")
    selector: tuple[TextQuoteSelector, TextPositionSelector] = Field(
        description="The fragment and its position, which select the same text."
    )


class CitationLinks(Model):
    """Path of a citation, relative to the root of the origin."""

    self: str = Field(description="This citation.")


class Citation(Document):
    """Evidence for the value of one field of one resource."""

    type: ClassVar[str] = "citation"
    collection: ClassVar[str] = "citations"
    id_filter: ClassVar = Filter(
        "id",
        "id",
        pattern=CITATION_ID_PATTERN,
        expected="the id of a citation: type, resource, field and a suffix, joined by dots",
        max_length=200,
        facetable=False,
    )
    filters: ClassVar = (
        Filter("resource_type", "resource_type", choices=get_args(ResourceType.__value__)),
        Filter("resource", "resource", facetable=False),
        Filter("field", "field", pattern=FIELD_PATTERN, expected=FIELD_EXPECTED),
        Filter("basis", "basis", choices=get_args(Basis.__value__)),
    )
    sorts: ClassVar = (Sort("id", "id"),)

    id: Annotated[
        str,
        Field(
            pattern=CITATION_ID_PATTERN,
            description="`type.id.field.suffix`; the suffix depends on what is cited only.",
        ),
    ]
    resource_type: ResourceType = Field(description="Type of the resource.")
    resource: Id = Field(description="Id of the resource.")
    field: FieldName = Field(description="Field of the resource.")
    basis: Basis = Field(
        description=" ".join(f"`{basis}`: {text}." for basis, text in BASIS_MEANINGS.items())
    )
    note: str | None = Field(description="The rule by which a value was derived, or a comment.")
    reference: Reference | None = Field(
        description="The publication that an enriched value is from."
    )
    target: SpecificResource | None = Field(description="The quoted fragment of the source.")
    links: CitationLinks


CITATION_COLUMNS = (
    "id", "resource_type", "resource", "field", "basis", "note", "source", "start", "end", "exact",
    "prefix", "suffix", "reference_title", "reference_url", "reference_license", "document",
)  # fmt: skip
"""Columns of the rows from `citation_rows`."""

_NO_QUOTE: tuple[None, ...] = (None,) * 6
_NO_REFERENCE: tuple[None, ...] = (None,) * 3


def citation_rows(resource: Resource) -> Iterator[tuple[str | int | None, ...]]:
    """A table row for every citation of a resource, in the order of its fields.

    Citations are four fifths of an archive and have one structure. So their JSON is filled into a
    template, which is faster than a serializer; only free text needs escaping.
    """
    type_, id_, evidence = resource.type, resource.id, resource.evidence
    for field in filter(evidence.__contains__, type(resource).model_fields):
        citations = evidence[field]
        for citation, suffix in zip(citations, citation_suffixes(citations), strict=True):
            if isinstance(citation, Enriched):
                columns, members = _render_reference(citation.reference)
            else:
                columns, members = _render_quote(citation.quote)
            name, basis, note = f"{type_}.{id_}.{field}.{suffix}", citation.basis, citation.note
            document = (
                f'{{"id":"{name}","resource_type":"{type_}","resource":"{id_}","field":"{field}",'
                f'"basis":"{basis}","note":{_optional_string(note)},{members},'
                f'"links":{{"self":"/v1/citations/{name}"}}}}'
            )
            yield (name, type_, id_, field, basis, note, *columns, document)


def citation_suffixes(citations: Sequence[Evidence]) -> list[str]:
    """The last part of the id of each citation of a field: what it cites, as a short digest.

    It is the start of the SHA-256 of the source, the number of the occurrence and the words, or of
    the URL and the title of the reference, with spaces in between. The occurrence counts equal
    quotes of the field by position. So an id means the same words in every release, whatever else
    is cited; basis and note may change.
    """
    if len(citations) == 1:  # nearly all fields
        return [_suffix(citations[0], 1)]
    starts: dict[tuple[str, str], set[int]] = defaultdict(set)
    for citation in citations:
        if not isinstance(citation, Enriched):
            quote = citation.quote
            starts[quote.source, quote.exact].add(quote.start)
    return [_suffix(citation, _occurrence(citation, starts)) for citation in citations]


def _occurrence(citation: Evidence, starts: Mapping[tuple[str, str], set[int]]) -> int:
    """The number of a quote, from 1, among equal ones; 1 for a reference."""
    if isinstance(citation, Enriched):
        return 1
    quote = citation.quote
    earlier = (start for start in starts[quote.source, quote.exact] if start < quote.start)
    return 1 + sum(1 for _ in earlier)


def _suffix(citation: Evidence, occurrence: int) -> str:
    if isinstance(citation, Enriched):
        cited = f"{citation.reference.url} {citation.reference.title}"
    else:
        cited = f"{citation.quote.source} {occurrence} {citation.quote.exact}"
    return sha256(cited.encode()).hexdigest()[:_SUFFIX_CHARACTERS]


def _render_quote(quote: Quote) -> tuple[tuple[Any, ...], str]:
    """The columns from `source` for a quote, and its members in the JSON of a citation."""
    source, start, end, exact = quote.source, quote.start, quote.end, quote.exact
    prefix, suffix = quote.prefix, quote.suffix
    members = (
        '"reference":null,'
        f'"target":{{"type":"SpecificResource","source":"/v1/sources/{source}","selector":['
        f'{{"type":"TextQuoteSelector","exact":{_json_string(exact)},'
        f'"prefix":{_optional_string(prefix)},"suffix":{_optional_string(suffix)}}},'
        f'{{"type":"TextPositionSelector","start":{start},"end":{end}}}]}}'
    )
    return (source, start, end, exact, prefix, suffix, *_NO_REFERENCE), members


def _render_reference(reference: Reference) -> tuple[tuple[Any, ...], str]:
    """The columns from `source` for a reference, and its members in the JSON of a citation."""
    title, url, terms = reference.title, reference.url, reference.license
    members = (
        f'"reference":{{"title":{_json_string(title)},"url":{_json_string(url)},'
        f'"license":{_json_string(terms)}}},"target":null'
    )
    return (*_NO_QUOTE, title, url, terms), members


def _optional_string(text: str | None) -> str:
    return "null" if text is None else _json_string(text)
