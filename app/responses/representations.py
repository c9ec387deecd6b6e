"""Documents joined to response bodies, in every format."""

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

_RUN_BY_SPREADSHEETS = re.compile(r"'*[=+\-@\t\r\n]")
"""Beginnings of formulas; behind apostrophes too, so that taking one away gives the text back."""

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

QueryPairs = list[tuple[str, str]]
Json = dict[str, Any]


def encode_json(value: object) -> bytes:
    """A value as compact JSON in UTF-8."""
    return _ENCODER.encode(value).encode()


def page_links(path: str, sent: QueryPairs, cursor: str | None) -> dict[str, str | None]:
    """Links of a page: itself as asked for, and the next."""
    own = url_with_query(path, sent)
    if cursor is None:
        return {"self": own, "next": None}
    onward = [pair for pair in sent if pair[0] != "cursor"]
    base = own if len(onward) == len(sent) else url_with_query(path, onward)
    return {"self": own, "next": f"{base}{'&' if onward else '?'}cursor={cursor}"}


def url_with_query(path: str, sent: QueryPairs) -> str:
    """A path with its query."""
    return f"{path}?{urlencode(sent)}" if sent else path


def page_body(
    documents: Iterable[bytes],
    meta: Mapping[str, Any],
    links: Mapping[str, str | None],
    included: Mapping[str, Sequence[bytes]] | None = None,
    facets: Mapping[str, Any] | None = None,
) -> bytes:
    """The envelope of a list around its documents."""
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
    """The envelope of a page of matches."""
    return b'{"data":[%b],"meta":%b,"links":%b}' % (
        b",".join(hits),
        encode_json(meta),
        encode_json(links),
    )


def item_body(document: bytes, included: Mapping[str, Sequence[bytes]] | None = None) -> bytes:
    """The envelope of one resource."""
    return b'{"data":%b,"included":%b}' % (document, _included(included))


def _included(included: Mapping[str, Sequence[bytes]] | None) -> bytes:
    if included is None:
        return b"null"
    lists = (b"%b:[%b]" % (encode_json(name), b",".join(found)) for name, found in included.items())
    return b"{%b}" % b",".join(lists)


def ndjson_lines(documents: Iterable[bytes]) -> bytes:
    """Documents as newline-delimited JSON, one a line."""
    return b"".join(b"%b\n" % document for document in documents)


def csv_header(model: type[Document]) -> bytes:
    """The header row (RFC 4180), fixed by the type and not by the rows."""
    return _csv_rows([list(_columns(model))])


def csv_lines(model: type[Document], documents: Iterable[bytes]) -> bytes:
    """Documents as rows of CSV (RFC 4180).

    `null` is an empty cell. Members of a list are joined by `|`; a `|` or a backslash within a
    member has a backslash before it. Objects within a list are JSON. Text that a spreadsheet
    would run as a formula, or would after some apostrophes, has one more apostrophe before it.
    """
    columns = _columns(model).values()
    parsed = (json.loads(document) for document in documents)
    return _csv_rows([_cell(read(one)) for read in columns] for one in parsed)


def geojson_feature(document: bytes, outline: tuple[bytes, bytes] | None) -> bytes:
    """A region as a GeoJSON feature (RFC 7946, 3.2), without geometry where none is known."""
    name = encode_json(json.loads(document)["id"])
    bbox = b""
    if outline is not None and outline[0] != b"null":
        bbox = b'"bbox":%b,' % outline[0]
    geometry = outline[1] if outline is not None else b"null"
    shape = b'{"type":"Feature","id":%b,%b"geometry":%b,"properties":%b}'
    return shape % (name, bbox, geometry, document)


def _csv_rows(rows: Iterable[Sequence[str]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


@cache
def _columns(model: type[Document]) -> dict[str, Callable[[Json], Any]]:
    """What each column of a type holds, by the column's name."""
    columns: dict[str, Callable[[Json], Any]] = {}
    for field in model.model_fields:
        if field in ("evidence", "links"):
            continue
        if issubclass(model, Citation) and field in _NESTED:
            columns |= _NESTED[field]
        else:
            columns[field] = itemgetter(field)
    return columns


def _within(field: str, *path: str | int) -> Callable[[Json], Any]:
    """Reads what lies at a path within a field, or None where the field is null."""

    def read(one: Json) -> Any:
        value = one[field]
        for step in path if value is not None else ():
            value = value[step]
        return value

    return read


_NESTED: dict[str, dict[str, Callable[[Json], Any]]] = {
    "reference": {
        "reference_title": _within("reference", "title"),
        "reference_url": _within("reference", "url"),
        "reference_license": _within("reference", "license"),
    },
    "target": {
        "target_source": _within("target", "source"),
        "target_exact": _within("target", "selector", 0, "exact"),
        "target_start": _within("target", "selector", 1, "start"),
        "target_end": _within("target", "selector", 1, "end"),
    },
}


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return _defused("|".join(_member(member) for member in value))
        case str():
            return _defused(value)
    return str(value)


def _member(value: Any) -> str:
    text = value if isinstance(value, str) else encode_json(value).decode()
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _defused(text: str) -> str:
    return f"'{text}" if _RUN_BY_SPREADSHEETS.match(text) else text
