"""The record as a page: what is shown, on what it rests, and that it stays of one size."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest
from lxml import html

from app.models.dates import first_day
from app.pages.record.footnotes import text_fragment_url
from app.pages.record.outlines import draw_map
from app.pages.record.timeline import TimeAxis
from app.pages.record.words import amount_in_words, date_in_words, ordinal
from benchmarks.corpus import write_corpus
from tests.conftest import SeedCopy
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
HTML = {"Accept": BROWSER}
MOST_BYTES = 60_000


async def shown(client: httpx.AsyncClient) -> html.HtmlElement:
    """The page, parsed."""
    response = await client.get("/", headers=HTML)
    assert response.status_code == 200
    return html.document_fromstring(response.text)


def said(element: html.HtmlElement) -> str:
    """The text of an element, without the numbers of its notes and with single spaces."""
    for mark in element.xpath(".//sup"):
        mark.drop_tree()
    return " ".join(element.text_content().split())


async def sent_bytes(client: httpx.AsyncClient, coding: str) -> int:
    """Bytes of the page on the wire."""
    headers = {**HTML, "Accept-Encoding": coding}
    async with client.stream("GET", "/", headers=headers) as response:
        return sum([len(piece) async for piece in response.aiter_raw()])


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (BROWSER, "text/html; charset=utf-8"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/*", "text/html; charset=utf-8"),
        ("application/json;q=0.5, text/html", "text/html; charset=utf-8"),
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/json", "application/json"),
        ("text/html, application/json", "application/json"),
        ("text/html;q=0.5, */*", "application/json"),
        ("text/html;q=0", "application/json"),
        ("image/png", "application/json"),
    ],
)
async def test_a_browser_gets_the_page_and_others_the_index(
    client: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    """HTML where it is preferred, JSON otherwise."""
    response = await client.get("/", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type


async def test_without_accept_the_index_is_given(client: httpx.AsyncClient) -> None:
    """A client that says nothing gets JSON, the same as at `/v1`."""
    del client.headers["accept"]
    response = await client.get("/")
    assert response.content == (await client.get("/v1")).content


async def test_both_are_kept_apart(client: httpx.AsyncClient) -> None:
    """Page and index have tags of their own, 304 and HEAD, and never stand in for each other."""
    tags = set()
    for accept in (BROWSER, "*/*", BROWSER, "*/*"):
        headers = {"Accept": accept}
        response = await client.get("/", headers=headers)
        assert ("<!doctype html>" in response.text) == (accept == BROWSER)
        tags.add(tag := response.headers["etag"])
        known = await client.get("/", headers={**headers, "If-None-Match": tag})
        assert (known.status_code, known.content) == (304, b"")
        head = await client.head("/", headers=headers)
        assert ({**head.headers}, head.content) == ({**response.headers}, b"")
    assert len(tags) == 2


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_the_page_is_light(client: httpx.AsyncClient, coding: str) -> None:
    """Whatever the coding, the page takes less than 60 KB on the wire."""
    assert 0 < await sent_bytes(client, coding) < MOST_BYTES


async def test_nothing_else_need_be_loaded(client: httpx.AsyncClient) -> None:
    """No script runs, no style is elsewhere, and the policy allows no more than that."""
    response = await client.get("/", headers=HTML)
    page = html.document_fromstring(response.text)
    (style,) = page.xpath("//style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    policy = response.headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in response.headers["content-security-policy"]
    assert page.xpath("//script/@type") == ["application/ld+json"]
    assert page.xpath("//@style | //@src | //@*[starts-with(name(), 'on')]") == []
    assert set(page.xpath("//link[@rel='icon' or @rel='stylesheet']/@href")) == {"/favicon.svg"}


async def test_every_value_has_its_note(client: httpx.AsyncClient) -> None:
    """All citations of the record stand in a note, but those of what is left out of it."""
    page = await shown(client)
    listed = (await client.get("/v1/citations")).json()["data"]
    expected = {one["links"]["self"] for one in listed if one["field"] != "furniture"}
    assert len(expected) > 150
    assert (
        set(page.xpath("//*[@id='notes']/ancestor::section//li/a[@class='json']/@href")) == expected
    )


async def test_a_note_says_what_its_citations_say(client: httpx.AsyncClient) -> None:
    """Basis, quote, position, remark, reference, and a link to these words on the page."""
    page = await shown(client)
    listed = (await client.get("/v1/citations")).json()["data"]
    citations = {one["links"]["self"]: one for one in listed}
    notes = page.xpath("//a[@class='json']/parent::li")
    assert notes
    for note in notes:
        citation = citations[note.xpath("a[@class='json']/@href")[0]]
        assert said(note.xpath("span[contains(@class, 'tag')]")[0]).lower() == citation["basis"]
        assert (citation["note"] or "") in note.text_content()
        if citation["target"] is None:
            assert citation["reference"]["url"] in note.xpath("a/@href")
            continue
        quote, position = citation["target"]["selector"]
        (link,) = note.xpath("q/a")
        assert link.text == quote["exact"]
        address, _, words = link.get("href").partition("#:~:text=")
        assert address.startswith("https://2017-2021.state.gov/")
        assert unquote(words) == quote["exact"]
        assert not set(words) & set("-,& ")
        assert f"{position['start']}–{position['end']}" in said(note)


async def test_what_is_not_stated_is_shown_so(client: httpx.AsyncClient) -> None:
    """Each field that the page gives no value for reads "not stated" where it is shown."""
    page = await shown(client)
    for award in (await client.get("/v1/awards")).json()["data"]:
        (article,) = page.xpath(f"//article[@id='award-{award['id']}']")
        facts = article.xpath("dl")[0]
        unknown = set(award["not_stated"]) & {"amount", "trafficking_forms", "has_sub_recipients"}
        assert unknown
        assert facts.text_content().count("not stated") == len(unknown)
    (ends,) = page.xpath("//dt[.='End of the plan']/following-sibling::dd")
    assert said(ends) == "not stated"
    assert "0" not in said(page.xpath("//dt[.='Amount']/following-sibling::dd")[0])


async def test_every_link_leads_somewhere(client: httpx.AsyncClient) -> None:
    """Each address of this origin answers, and each fragment names an element of the page."""
    page = await shown(client)
    links = set(page.xpath("//a/@href | //link/@href"))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    here = [link for link in links if link.startswith("/")]
    assert len(here) > 150
    for link in here:
        assert (await client.get(link)).status_code == 200, link


async def test_each_block_names_its_request(client: httpx.AsyncClient) -> None:
    """Every section has a link to the request of the API that gives what it shows."""
    page = await shown(client)
    for section in page.xpath("//section"):
        requests = section.xpath(".//p[@class='request']/a/@href")
        assert requests
        assert all(request.startswith("/v1/") for request in requests)


async def test_headings_and_tables_are_in_order(client: httpx.AsyncClient) -> None:
    """One first heading, no level left out, and tables with captions and scopes."""
    page = await shown(client)
    levels = [int(one.tag[1]) for one in page.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in page.xpath("//table"):
        assert table.xpath("caption")
        assert set(table.xpath(".//th/@scope")) == {"col", "row"}
        assert not table.xpath(".//th[not(@scope)]")


async def test_a_changed_value_changes_on_the_page(seed: SeedCopy, tmp_path: Path) -> None:
    """A value and its quote changed in the seed are shown, with no template touched."""
    for award in seed.data["awards"]:
        award["announced"] = "2018-11"
        (cited,) = award["evidence"]["announced"]
        cited["quote"] |= {"exact": "November 2018", "end": cited["quote"]["start"] + 13}
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await shown(client)
    (article,) = page.xpath("//article[@id='award-peru-ilo']")
    (value,) = article.xpath(".//dt[.='Announced']/following-sibling::dd")
    (note,) = value.xpath("sup/a/@href")
    assert value.xpath("time/@datetime") == ["2018-11"]
    assert page.xpath(f"//li[@id='{note[1:]}']//q/a/text()") == ["November 2018"]
    assert said(value) == "November 2018"
    drawn = page.xpath("//ol[@class='timeline']//svg/@aria-label")
    assert any(one.startswith("Announced November 2018") for one in drawn)


async def test_a_large_record_is_told_in_part(tmp_path: Path) -> None:
    """Of many partnerships the first are told and the others named; the page stays light."""
    path = write_corpus(tmp_path / "corpus", 1_200)
    async with client_for(path, tmp_path / "archive.sqlite") as client:
        page = await shown(client)
        size = await sent_bytes(client, "br")
        total = (await client.get("/v1/partnerships?limit=1")).json()["meta"]["total"]
    assert size < MOST_BYTES
    assert total == 50
    assert len(page.xpath("//dl[@class='figures']")) == 2
    assert f"The first 24 of {total} partnerships" in page.text_content()
    assert page.xpath("//p[@class='rest']/a[@href='/v1/regions']")
    assert page.xpath("//b[.='tag'] | //tag") == []
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


async def test_an_empty_record_has_a_page(seed: SeedCopy, tmp_path: Path) -> None:
    """Without any partnership the page says so and leaves out what there is not."""
    for name, value in seed.data.items():
        if isinstance(value, list):
            seed.data[name] = []
    outlines = b'{"type":"FeatureCollection","features":[]}'
    (seed.path.parent / "regions.geojson").write_bytes(outlines)
    seed.put("/outlines/sha256", hashlib.sha256(outlines).hexdigest())
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await shown(client)
    assert "holds no partnership yet" in page.text_content()
    assert page.xpath("//svg | //table | //ol[@class='footnotes'] | //p[@class='lead']") == []


async def test_a_map_without_awards_has_no_letters(seed: SeedCopy, tmp_path: Path) -> None:
    """The legend of the map tells of letters only where there are some."""
    for names, said in ([], True), (["awards", "activities"], False):
        for name in names:
            seed.data[name] = []
        async with client_for(seed.write(), tmp_path / f"{said}.sqlite") as client:
            page = await shown(client)
        legend = page.xpath("string(//figure[@class='map']/figcaption)")
        assert "Outlines:" in legend
        assert ("Letters are" in legend) is said


def test_the_index_is_served_without_what_renders_the_page() -> None:
    """Starting up loads no template engine."""
    told = "import sys, app.main; sys.exit(bool({'jinja2', 'app.pages.record'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0


def test_text_fragments_are_encoded() -> None:
    """What has a meaning in a text directive is encoded, and a fragment is kept."""
    assert text_fragment_url("https://a.example/x", "a-b, c & d") == (
        "https://a.example/x#:~:text=a%2Db%2C%20c%20%26%20d"
    )
    assert (
        text_fragment_url("https://a.example/#top", "é") == "https://a.example/#top:~:text=%C3%A9"
    )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (date_in_words("2017-06-15"), "15 June 2017"),
        (date_in_words("2017-10"), "October 2017"),
        (date_in_words("2017"), "2017"),
        (amount_in_words(5_000_000), "5 million"),
        (amount_in_words(1_250_000), "1.25 million"),
        (amount_in_words(1_234_567), "1,234,567"),
        (amount_in_words(0), "0"),
        (ordinal(1), "first"),
        (ordinal(11), "11th"),
        (ordinal(22), "22nd"),
        (ordinal(113), "113th"),
    ],
)
def test_values_are_put_into_words(written: str, words: str) -> None:
    """Dates keep their precision, sums every digit."""
    assert written == words


def test_a_month_is_drawn_as_a_month() -> None:
    """On the axis a date takes the room of all the days that it may be."""
    axis = TimeAxis.of(["2017-06-15", None, "2020-12"])
    assert axis == TimeAxis(2017, 2021)
    assert axis is not None
    days = first_day("2021").toordinal() - first_day("2017").toordinal()
    assert axis.span("2020-12").end == 100
    assert axis.span("2017-10").width == pytest.approx(100 * 31 / days, abs=0.02)
    assert axis.span("2017-06-15").width == pytest.approx(100 / days, abs=0.02)
    assert [year for year, _ in axis.ticks] == [2017, 2018, 2019, 2020, 2021]
    assert TimeAxis.of([None]) is None


def test_a_degree_is_as_long_as_it_is_there() -> None:
    """Away from the equator a square of degrees is drawn narrower than it is high."""
    square = {"type": "Polygon", "coordinates": [[[0, 59], [2, 59], [2, 61], [0, 61], [0, 59]]]}
    drawn = draw_map({"one": square}, {"one": "One"})
    assert drawn is not None
    assert drawn.width == pytest.approx(drawn.height / 2, rel=0.01)
    assert draw_map({}, {}) is None


async def test_labels_of_the_map_cover_no_other_region(client: httpx.AsyncClient) -> None:
    """The names of the three regions stand apart from one another."""
    features = (await client.get("/v1/regions?format=geojson")).json()["features"]
    names = {one["id"]: one["properties"]["name"] for one in features}
    drawn = draw_map({one["id"]: one["geometry"] for one in features}, names)
    assert drawn is not None
    boxes = [shape.label.box for shape in drawn.shapes]
    assert len(boxes) == 3
    for number, (left, top, right, bottom) in enumerate(boxes):
        assert 0 <= left < right <= drawn.width
        for other in boxes[:number]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
