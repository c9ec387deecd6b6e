"""Response bodies in every format, assembled from rendered documents."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

from app.models import Citation, Document

_FORMULA_PREFIX = re.compile(r"'*[=+\-@\t\r\n]")
"""Start of text that a spreadsheet evaluates as a formula, with any apostrophes before it.

Apostrophes are included so that removing one always restores the original text.
"""

_LINE_BREAKS = {
    character.encode(): f"\\u{ord(character):04x}".encode() for character in "\x85\u2028\u2029"
}
"""Line breaks (Unicode UAX #14, BK and NL) that JSON does not escape itself, and their escapes."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

QueryPairs = list[tuple[str, str]]
Json = dict[str, Any]


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


def search_body(
    hits: Iterable[bytes], meta: Mapping[str, Any], links: Mapping[str, str | None]
) -> bytes:
    """A page of search results."""
    return b'{"data":[%b],"meta":%b,"links":%b}' % (
        b",".join(hits),
        encode_json(meta),
        encode_json(links),
    )


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


def csv_header(model: type[Document]) -> bytes:
    """The CSV header row (RFC 4180); it depends on the model only, not on the rows."""
    return _csv_rows([list(_columns(model))])


def csv_lines(model: type[Document], documents: Iterable[bytes]) -> bytes:
    """Documents as CSV rows (RFC 4180).

    `null` is an empty cell. List members are joined by `|`; a `|` or backslash within a member is
    escaped with a backslash. Objects within a list are JSON. Text that a spreadsheet would
    evaluate as a formula, also after leading apostrophes, is prefixed with an apostrophe.
    """
    getters = _columns(model).values()
    parsed = (json.loads(document) for document in documents)
    return _csv_rows([_cell(get(item)) for get in getters] for item in parsed)


def geojson_feature(document: bytes, outline: tuple[bytes, bytes] | None) -> bytes:
    """A region as a GeoJSON feature (RFC 7946, 3.2).

    Args:
        document: The region as JSON.
        outline: Bounding box and geometry as JSON; the geometry is `null` without an outline.
    """
    region_id = encode_json(json.loads(document)["id"])
    bbox = b""
    bbox, geometry = b"", b"null"
    if outline is not None:
        bbox, geometry = b'"bbox":%b,' % outline[0], outline[1]
    template = b'{"type":"Feature","id":%b,%b"geometry":%b,"properties":%b}'
    return template % (region_id, bbox, geometry, document)


def _csv_rows(rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode()


@cache
def _columns(model: type[Document]) -> dict[str, Callable[[Json], Any]]:
    """A function for each CSV column that gets its value from a document."""
    columns: dict[str, Callable[[Json], Any]] = {}
    for field in model.model_fields:
        if field in ("evidence", "links"):
            continue
        if issubclass(model, Citation) and field in _NESTED_COLUMNS:
            columns |= _NESTED_COLUMNS[field]
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


_NESTED_COLUMNS: dict[str, dict[str, Callable[[Json], Any]]] = {
    "reference": {
        "reference_title": _nested_getter("reference", "title"),
        "reference_url": _nested_getter("reference", "url"),
        "reference_license": _nested_getter("reference", "license"),
    },
    "target": {
        "target_source": _nested_getter("target", "source"),
        "target_exact": _nested_getter("target", "selector", 0, "exact"),
        "target_start": _nested_getter("target", "selector", 1, "start"),
        "target_end": _nested_getter("target", "selector", 1, "end"),
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
        case str():
            return _escape_formula(value)
    return str(value)


def _member(value: Any) -> str:
    text = value if isinstance(value, str) else encode_json(value).decode()
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _escape_formula(text: str) -> str:
    return f"'{text}" if _FORMULA_PREFIX.match(text) else text
