"""Differences between two states of the record, one value at a time.

A value is a field of a document. Documents are matched by type and id, whatever their order, and
values are compared by their canonical bytes (RFC 8785): `true` differs from 1, a null field differs
from an absent one, 5000000.0 equals 5000000, and the order of a list counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from app.models import Citation
from app.models.document import Key

Documents = dict[Key, dict[str, Any]]
"""Documents without links, by type and id: resources, citations and the record's metadata."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference in one value, or in its citations alone.

    Attributes:
        type: Type of the document.
        id: Id of the document.
        field: Field with the value; None if the value is a whole citation.
        before: Canonical JSON of the old value; None if there was none.
        after: Canonical JSON of the new value; None if there is none.
        citations_before: Ids of the citations of the old value.
        citations_after: Ids of the citations of the new value.
    """

    type: str
    id: str
    field: str | None
    before: bytes | None
    after: bytes | None
    citations_before: tuple[str, ...] = ()
    citations_after: tuple[str, ...] = ()


def diff(before: Documents, after: Documents) -> Iterator[Change]:
    """Every value that differs or has other citations, sorted by type, id and field.

    Each citation that differs is one value as a whole. These come last.

    Raises:
        rfc8785.CanonicalizationError: A value has no canonical form.
    """
    cited_before, cited_after = _citations_by_field(before), _citations_by_field(after)
    for key in sorted(before.keys() | after.keys(), key=_order):
        old, new = _values(key, before.get(key)), _values(key, after.get(key))
        for field in sorted(old.keys() | new.keys(), key=str):
            citations = cited_before[*key, field], cited_after[*key, field]
            if old.get(field) != new.get(field) or citations[0] != citations[1]:
                yield Change(*key, field, old.get(field), new.get(field), *citations)


def _order(key: Key) -> tuple[bool, Key]:
    return key[0] == Citation.type, key


def _values(key: Key, document: Mapping[str, Any] | None) -> dict[str | None, bytes]:
    """The canonical values of a document by field; a citation is one value as a whole."""
    if document is None:
        return {}
    if key[0] == Citation.type:
        return {None: rfc8785.dumps(dict(document))}
    return {field: rfc8785.dumps(value) for field, value in document.items()}


def _citations_by_field(
    documents: Documents,
) -> defaultdict[tuple[str, str, str | None], tuple[str, ...]]:
    """Sorted ids of the citations of each field, by type and id of its document and its name."""
    citations: defaultdict[tuple[str, str, str | None], tuple[str, ...]] = defaultdict(tuple)
    for key in sorted(documents):
        if key[0] == Citation.type:
            document = documents[key]
            cited = document["resource_type"], document["resource"], document["field"]
            citations[cited] += (key[1],)
    return citations
