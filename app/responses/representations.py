"""Response bodies in every format, assembled from rendered documents."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from app.models import RESOURCES, Citation, Document
from app.models.base import Model
from app.models.release import Release

_FORMULA_PREFIX = re.compile(r"'*[=+\-@\t\r\n]")
"""Start of text that a spreadsheet evaluates as a formula, with any apostrophes before it.

Apostrophes are included so that removing one always restores the original text.
"""

_LINE_BREAKS = {
    character.encode(): f"\\u{ord(character):04x}".encode() for character in "\x85\u2028\u2029"
}
"""Line breaks (Unicode UAX #14, BK and NL) that JSON does not escape itself, and their escapes."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODE = json.JSONDecoder().raw_decode

_MAX_CACHED_SELECTIONS = 256

QueryPairs = list[tuple[str, str]]
Json = dict[str, Any]
Fields = frozenset[str]
"""Fields of documents that are returned; all if empty."""


def encode_json(value: object) -> bytes:
    """Compact JSON in UTF-8."""
    return _ENCODER.encode(value).encode()


def page_links(path: str, query_pairs: QueryPairs, cursor: str | None) -> dict[str, str | None]:
    """`self` and `next` links of a page; `next` is None on the last page.

    Args:
        path: Path of the request.
        query_pairs: Query parameters of the request.
        cursor: Cursor of the next page.
    """
    self_url = url_with_query(path, query_pairs)
    if cursor is None:
        return {"self": self_url, "next": None}
    other_pairs = [pair for pair in query_pairs if pair[0] != "cursor"]
    base = self_url if len(other_pairs) == len(query_pairs) else url_with_query(path, other_pairs)
    return {"self": self_url, "next": f"{base}{'&' if other_pairs else '?'}cursor={cursor}"}


def url_with_query(path: str, query_pairs: QueryPairs) -> str:
    """A path followed by the encoded query string, if there is any."""
    return f"{path}?{urlencode(query_pairs)}" if query_pairs else path


def page_body(
    documents: Iterable[bytes],
    meta: Mapping[str, Any],
    links: Mapping[str, str | None],
    included: Mapping[str, Sequence[bytes]] | None = None,
    facets: Mapping[str, Any] | None = None,
) -> bytes:
    """A page of a collection: documents in the list envelope."""
    return b'{"data":[%b],"meta":%b,"links":%b,"included":%b,"facets":%b}' % (
        b",".join(documents),
        encode_json(meta),
        encode_json(links),
        _included(included),
        encode_json(facets),
    )


def select_fields(document: bytes, fields: Fields) -> bytes:
    """The document with only these of its fields, each in the same bytes; all if empty.

    The values are not rendered again: what the decoder skips from one comma to the next is copied.
    """
    if not fields:
        return document
    text, start = document.decode(), 1
    selected: list[str] = []
    while len(selected) < len(fields):
        name, colon = _DECODE(text, start)
        end = _DECODE(text, colon + 1)[1]
        if name in fields:
            selected.append(text[start:end])
        start = end + 1
    return f"{{{','.join(selected)}}}".encode()


def list_body(
    documents: Iterable[bytes],
    meta: Mapping[str, Any],
    links: Mapping[str, str | None],
    **members: Any,
) -> bytes:
    """A page of a list that is not a collection: documents, and other members of its envelope."""
    envelope = encode_json({"meta": meta, "links": links, **members})
    return b'{"data":[%b],%b' % (b",".join(documents), envelope[1:])


def item_body(document: bytes, included: Mapping[str, Sequence[bytes]] | None = None) -> bytes:
    """A single resource in its envelope."""
    return b'{"data":%b,"included":%b}' % (document, _included(included))


def _included(included: Mapping[str, Sequence[bytes]] | None) -> bytes:
    if included is None:
        return b"null"
    lists = (
        b"%b:[%b]" % (encode_json(name), b",".join(documents))
        for name, documents in included.items()
    )
    return b"{%b}" % b",".join(lists)


def ndjson_lines(documents: Iterable[bytes]) -> bytes:
    """Documents as newline-delimited JSON, one per line.

    JSON allows some characters in strings that programs take for the end of a line, such as
    Python's `str.splitlines` and httpx's `iter_lines`. They are escaped, so that lines stay whole.
    """
    lines = b"".join(b"%b\n" % document for document in documents)
    for character, escape in _LINE_BREAKS.items():
        lines = lines.replace(character, escape)
    return lines


def csv_header(model: type[Model], fields: Fields = frozenset()) -> bytes:
    """The CSV header row (RFC 4180) for these fields; it does not depend on the rows."""
    return _csv_rows([list(_columns(model, fields))])


def csv_lines(
    model: type[Model], documents: Iterable[bytes], fields: Fields = frozenset()
) -> bytes:
    """Documents as CSV rows (RFC 4180), with the columns of these fields; all if empty.

    `null` is an empty cell. List members are joined by `|`; a `|` or backslash within a member is
    escaped with a backslash. Objects within a list are JSON. Text that a spreadsheet would
    evaluate as a formula, also after leading apostrophes, is prefixed with an apostrophe.
    """
    getters = _columns(model, fields).values()
    parsed = (json.loads(document) for document in documents)
    return _csv_rows([_cell(get(item)) for get in getters] for item in parsed)


def geojson_feature(document: bytes, outline: tuple[bytes, bytes] | None) -> bytes:
    """A region as a GeoJSON feature (RFC 7946, 3.2).

    Args:
        document: The region as JSON.
        outline: Bounding box and geometry as JSON; the geometry is `null` without an outline.
    """
    region_id = encode_json(json.loads(document)["id"])
    bbox, geometry = b"", b"null"
    if outline is not None:
        bbox, geometry = b'"bbox":%b,' % outline[0], outline[1]
    template = b'{"type":"Feature","id":%b,%b"geometry":%b,"properties":%b}'
    return template % (region_id, bbox, geometry, document)


def _csv_rows(rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()


@lru_cache(_MAX_CACHED_SELECTIONS)
def _columns(model: type[Model], fields: Fields) -> dict[str, Callable[[Json], Any]]:
    """A function for each CSV column that gets its value from a document."""
    columns: dict[str, Callable[[Json], Any]] = {}
    for field in model.document_fields():
        if field == "links" or (fields and field not in fields):
            continue
        if (model, field) in _NESTED_COLUMNS:
            columns |= _NESTED_COLUMNS[model, field]
        else:
            columns[field] = itemgetter(field)
    return columns


def _nested_getter(field: str, *path: str | int) -> Callable[[Json], Any]:
    """A function that gets the value at a path within a field; None if the field is null."""

    def get(item: Json) -> Any:
        value = item[field]
        for key in path if value is not None else ():
            value = value[key]
        return value

    return get


_COUNTED: tuple[type[Document], ...] = (*RESOURCES, Citation)
_NESTED_COLUMNS: dict[tuple[type[Model], str], dict[str, Callable[[Json], Any]]] = {
    (Citation, "reference"): {
        "reference_title": _nested_getter("reference", "title"),
        "reference_url": _nested_getter("reference", "url"),
        "reference_license": _nested_getter("reference", "license"),
    },
    (Citation, "target"): {
        "target_source": _nested_getter("target", "source"),
        "target_exact": _nested_getter("target", "selector", 0, "exact"),
        "target_start": _nested_getter("target", "selector", 1, "start"),
        "target_end": _nested_getter("target", "selector", 1, "end"),
        "target_prefix": _nested_getter("target", "selector", 0, "prefix"),
        "target_suffix": _nested_getter("target", "selector", 0, "suffix"),
    },
    (Release, "counts"): {
        f"counts_{model.collection}": _nested_getter("counts", model.collection)
        for model in _COUNTED
    },
}


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return _escape_formula("|".join(_member(member) for member in value))
        case dict():
            return encode_json(value).decode()
        case str():
            return _escape_formula(value)
    return str(value)


def _member(value: Any) -> str:
    text = value if isinstance(value, str) else encode_json(value).decode()
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _escape_formula(text: str) -> str:
    return f"'{text}" if _FORMULA_PREFIX.match(text) else text
