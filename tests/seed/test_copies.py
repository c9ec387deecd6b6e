"""Copies of pages are read from text, HTML and web archives, whatever the file is called."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import sys
import zlib
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import brotli
import pytest

from app.seed.captures import ArchivedPage
from app.seed.copies import PageCopy, read_copies
from tests.support.web_archives import Response, to_html, write_wacz, write_warc

URL = "https://agency.example/page.html"
PAGE = ArchivedPage("page", URL)
TEXT = (
    "An archived page.\nIt is not updated.\n\nOn 1 May 2020, two countries signed it.\u00a0 It is "
    "the “first”.\n\n  • One & two\n  • Three\n\nThe end"
)
HTML = to_html(TEXT).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose name says nothing about its content."""
    return tmp_path / "copy"


def read(file: Path, *pages: ArchivedPage, timestamp: str | None = None) -> list[PageCopy]:
    """The copies in a file."""
    return read_copies(str(file), pages or [PAGE], timestamp)


def captured(time: str, text: str = TEXT) -> Response:
    """A capture of the page."""
    return Response(URL, time, to_html(text).encode())


@pytest.mark.parametrize(
    "text", [TEXT, "\ufeffA", "a\r\nb\r\n", "", "1 < 2", "<3 letters", "WARC files"]
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_text_is_read_as_it_is(file: Path, text: str, compress: type[bytes]) -> None:
    """Also white space, a byte order mark, and what looks a little like HTML."""
    file.write_bytes(compress(text.encode()))
    [copy] = read(file)
    assert copy == PageCopy(text, "text")
    assert copy.content == text.encode()


@pytest.mark.parametrize(
    "html",
    [
        HTML,
        b"\n\n" + HTML,
        codecs.BOM_UTF8 + HTML,
        HTML.replace(b"<!DOCTYPE html>\n", b""),
        b"<?xml version='1.0'?>" + HTML,
        b"<!-- saved -->" + HTML,
        HTML.decode().replace('"utf-8"', '"windows-1252"').encode("cp1252"),
        gzip.compress(HTML),
    ],
)
def test_the_text_of_html_is_extracted(file: Path, html: bytes) -> None:
    """No-break spaces are kept, and the encoding is that of the page."""
    file.write_bytes(html)
    [copy] = read(file)
    assert copy.text == TEXT
    assert copy.origin.startswith("HTML, text extracted by resiliparse 2.")


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_a_capture_is_found_by_the_url_of_the_page(
    file: Path, tmp_path: Path, *, compressed: bool, packed: bool
) -> None:
    """Other pages in the archive are passed over."""
    other, odd = (
        Response(url, "2021-01-20T12:00:00Z", b"<p>Other</p>")
        for url in (f"{URL}?other", "https://[agency/page.html")
    )
    archive = tmp_path / "archive.warc"
    write_warc(archive, [other, odd, captured("2021-01-20T12:00:00Z"), other], gzip=compressed)
    if packed:
        write_wacz(file, archive)
    else:
        archive.rename(file)
    [copy] = read(file)
    assert (copy.text, copy.source) == (TEXT, "page")
    assert copy.origin.startswith("capture 20210120120000, text extracted by resiliparse ")


def test_one_file_may_have_several_pages(file: Path, tmp_path: Path) -> None:
    """Each page whose URL it has is read, also from several archives of one WACZ."""
    other = ArchivedPage("other", "https://agency.example/other")
    archives = [
        write_warc(tmp_path / "1.warc.gz", [captured("2021-01-20T12:00:00Z")]),
        write_warc(tmp_path / "2.warc", [Response(other.url, "2021-01-21T12:00:00Z", b"Other")]),
    ]
    write_wacz(file, *archives)
    copies = read(file, PAGE, ArchivedPage("third", "https://agency.example/3"), other)
    assert [(copy.source, copy.text) for copy in copies] == [("page", TEXT), ("other", "Other")]
    assert copies[1].origin == "capture 20210121120000"


@pytest.mark.parametrize(
    "url",
    [
        "http://agency.example/page.html",
        "https://AGENCY.example:443/page.html",
        "https://www.agency.example/page.html#part",
        "<https://agency.example/page.html>",
    ],
)
def test_urls_are_compared_as_web_archives_do(file: Path, url: str) -> None:
    """Neither scheme, nor `www.`, nor a default port makes it another page."""
    write_warc(file, [Response(url, "2021-01-20T12:00:00Z", HTML)])
    assert read(file)[0].text == TEXT


def chunked(content: bytes) -> bytes:
    """Content in the chunked transfer coding."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ([("Content-Encoding", "gzip")], gzip.compress(HTML)),
        ([("Content-Encoding", "x-gzip")], gzip.compress(HTML)),
        ([("Content-Encoding", "br")], brotli.compress(HTML)),
        ([("Content-Encoding", "deflate")], zlib.compress(HTML)),
        ([("Transfer-Encoding", "chunked")], chunked(HTML)),
        (
            [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")],
            chunked(gzip.compress(HTML)),
        ),
        ([("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")], gzip.compress(HTML)),
        ([("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")], HTML),
    ],
)
def test_content_codings_are_removed(
    file: Path, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Also if the archive has removed some of them already, but not from the headers."""
    type_ = ("Content-Type", "text/html; charset=utf-8")
    write_warc(file, [Response(URL, "2021-01-20T12:00:00Z", body, headers=[type_, *headers])])
    assert read(file)[0].text == TEXT


@pytest.mark.parametrize("charset", ["windows-1252", '"windows-1252"', "iso-8859-1", "wrong", None])
def test_the_charset_is_that_of_the_response_or_the_page(file: Path, charset: str | None) -> None:
    """Windows-1252 is what is meant by ISO 8859-1 on the web; an unknown one is as none."""
    html = HTML.replace(b"utf-8", b"windows-1252").decode().encode("cp1252")
    if charset == "wrong":
        html = HTML
    type_ = "text/html" + (f"; charset={charset}" if charset else "")
    headers = [("Content-Type", type_)]
    write_warc(file, [Response(URL, "2021-01-20T12:00:00Z", html, headers=headers)])
    assert read(file)[0].text == TEXT


PERIOD = ("2017-01-20T00:00:00Z", "2021-01-20T00:00:00Z")


@pytest.mark.parametrize(
    ("times", "period", "nearest"),
    [
        (["2016-01-01", "2020-01-01", "2022-01-01"], PERIOD, "20200101"),
        (["2018-01-01", "2020-01-01", "2019-01-01"], PERIOD, "20200101"),
        (["2016-12-01", "2022-01-01"], PERIOD, "20161201"),
        (["2016-01-01", "2021-02-01", "2022-01-01"], PERIOD, "20210201"),
        (["2016-01-01", "2022-01-01"], None, "20220101"),
        (["2019-01-01", "2020-01-01"], ("2018-12-31T00:00:00Z",) * 2, "20190101"),
    ],
)
def test_the_nearest_capture_is_taken(
    file: Path, times: list[str], period: tuple[str, str] | None, nearest: str
) -> None:
    """That is the one nearest to the period of the page, the latest of those within it."""
    write_warc(file, [captured(f"{day}T00:00:00Z", day) for day in times])
    page = PAGE
    if period:
        first, last = (datetime.fromisoformat(moment) for moment in period)
        page = ArchivedPage("page", URL, first, last)
    [copy] = read(file, page)
    assert copy.origin.startswith(f"capture {nearest}000000")
    assert copy.text.replace("-", "") == nearest


@pytest.mark.parametrize("timestamp", ["20180101000000", "2018", "2018-01-01T00:00:00Z"])
def test_a_capture_can_be_chosen(file: Path, timestamp: str) -> None:
    """By its time, or the start of it; another time is an error that lists the captures."""
    write_warc(file, [captured("2018-01-01T00:00:00Z"), captured("2020-01-01T00:00:00Z", "2020")])
    assert read(file, timestamp=timestamp)[0].text == TEXT
    with pytest.raises(
        ValueError, match="no capture at 2019, but at 20180101000000, 20200101000000"
    ):
        read(file, timestamp="2019")


def test_a_capture_may_refer_to_an_earlier_one(file: Path) -> None:
    """A revisit record has no content of its own, but the digest of that of another."""
    write_warc(file, [captured("2018-01-01T00:00:00Z")])
    [digest] = re.findall(rb"WARC-Payload-Digest: (\S+)", gzip.decompress(file.read_bytes()))[-1:]
    revisit = Response(URL, "2020-01-01T00:00:00Z", None, digest=digest.decode())
    write_warc(file, [captured("2018-01-01T00:00:00Z"), revisit])
    [copy] = read(file)
    assert (copy.text, copy.origin[:22]) == (TEXT, "capture 20200101000000")
    write_warc(file, [revisit])
    with pytest.raises(ValueError, match="no complete capture of https://agency"):
        read(file)


def test_only_successful_responses_are_captures_of_a_page(file: Path) -> None:
    """A redirect or an error at the URL is not the page."""
    found = Response(URL, "2021-01-20T00:00:00Z", b"", "302 Found")
    error = Response(URL, "2021-01-20T00:00:00Z", b"<p>Gone</p>", "404 Not Found")
    write_warc(file, [found, error, captured("2010-01-01T00:00:00Z"), error])
    assert read(file)[0].text == TEXT
    write_warc(file, [found, error])
    with pytest.raises(ValueError, match="no complete capture"):
        read(file)


def test_a_page_without_url_is_not_in_an_archive(file: Path) -> None:
    """The error says that no URL is known."""
    write_warc(file, [captured("2018-01-01T00:00:00Z")])
    with pytest.raises(ValueError, match="no complete capture of a known URL"):
        read(file, ArchivedPage("page", ""))


@pytest.mark.parametrize("content", [TEXT.encode(), HTML])
def test_only_web_archives_have_captures(file: Path, content: bytes) -> None:
    """Choosing a capture of anything else is an error."""
    file.write_bytes(content)
    with pytest.raises(ValueError, match="no web archive"):
        read(file, timestamp="2018")


def test_damaged_files_are_errors(file: Path) -> None:
    """What is cut off, no WACZ, no WARC file or no UTF-8 is an error, not something else."""
    write_warc(file, [captured("2018-01-01T00:00:00Z"), captured("2020-01-01T00:00:00Z")])
    archive = file.read_bytes()
    with ZipFile(other := io.BytesIO(), "w") as package:
        package.writestr("page.html", HTML)
    plain = write_warc(file.with_name("plain"), [captured("2018-01-01T00:00:00Z")], gzip=False)
    packed = write_wacz(file.with_name("packed"), plain).read_bytes()
    changed = packed.replace(b"One &amp; two", b"One &amp; ten")
    assert changed != packed
    for content, message in (
        (archive[:-20], "gzip compression is damaged"),
        (gzip.compress(TEXT.encode())[:-20], "gzip compression is damaged"),
        (other.getvalue(), "it is no WACZ"),
        (other.getvalue()[:-20], "no readable WACZ"),
        (changed, "no readable WACZ"),
        (b"\x89PNG", "utf-8"),
        (b"\x28\xb5\x2f\xfd damaged", "."),
    ):
        file.write_bytes(content)
        with pytest.raises((ValueError, OSError), match=message):
            read(file)


@pytest.mark.parametrize("package", ["fastwarc", "resiliparse"])
def test_packages_that_are_missing_are_named(
    file: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """Text needs neither of them; else, the error says how to install both."""
    monkeypatch.setitem(sys.modules, package, None)
    for content in (HTML, b"WARC/1.1\r\n"):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"pip install .* -r requirements-archive\.txt"):
            read(file)
    file.write_text(TEXT, "utf-8")
    assert read(file)[0].text == TEXT
