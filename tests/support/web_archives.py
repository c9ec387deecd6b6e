"""Web pages and web archives of plain texts, to extract the same texts from again."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import ZipFile

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

_BULLET = "  • "


@dataclass(frozen=True)
class Response:
    """A response to write to a WARC file.

    Attributes:
        url: URL of the page.
        time: When it was captured: `2021-01-20T12:00:00Z`.
        body: Its body; None for a record that refers to an earlier one for it.
        status: Status line.
        headers: Further headers.
        digest: Digest of the body that a record without one refers to.
    """

    url: str
    time: str
    body: bytes | None
    status: str = "200 OK"
    headers: Sequence[tuple[str, str]] = field(
        default=(("Content-Type", "text/html; charset=utf-8"),)
    )
    digest: str = "sha1:NONE"


def to_html(text: str) -> str:
    """A web page from which resiliparse extracts a text again, if it could be extracted at all.

    Blocks are apart by a blank line, the items of a list start with a bullet, and lines of other
    blocks are blocks without a margin.
    """
    blocks = "\n<p></p>\n".join(map(_block, text.strip().split("\n\n")))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Page</title></head>'
        f"<body>\n{blocks}\n</body></html>\n"
    )


def _block(text: str) -> str:
    lines = [html.escape(line) for line in text.split("\n")]
    if all(line.startswith(_BULLET) for line in lines):
        items = (f"<li>{line.removeprefix(_BULLET)}</li>" for line in lines)
        return f"<ul>{''.join(items)}</ul>"
    if len(lines) == 1:
        return f"<p>{lines[0]}</p>"
    return "".join(f"<div>{line}</div>" for line in lines)


def write_warc(path: Path, responses: Sequence[Response], *, gzip: bool = True) -> Path:
    """Write responses to a WARC file; the path is returned for convenience."""
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=gzip)
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "warcio"}))
        for response in responses:
            _write_response(writer, response)
    return path


def _write_response(writer: WARCWriter, response: Response) -> None:
    http = StatusAndHeaders(response.status, list(response.headers), protocol="HTTP/1.1")
    date = {"WARC-Date": response.time}
    if response.body is None:
        record = writer.create_revisit_record(
            response.url,
            response.digest,
            response.url,
            response.time,
            http_headers=http,
            warc_headers_dict=date,
        )
    else:
        record = writer.create_warc_record(
            response.url,
            "response",
            payload=io.BytesIO(response.body),
            length=len(response.body),
            http_headers=http,
            warc_headers_dict=date,
        )
    writer.write_record(record)


def write_wacz(path: Path, *archives: Path) -> Path:
    """Write a WACZ file with no more than the WARC files that are read from it."""
    with ZipFile(path, "w") as package:
        package.writestr("datapackage.json", '{"profile": "data-package", "resources": []}')
        for archive in archives:
            package.write(archive, f"archive/{archive.name}")
    return path
