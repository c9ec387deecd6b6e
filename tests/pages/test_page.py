"""The record page: its values, footnotes and links, and a bounded size."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from inspect import isclass
from math import cos, sin
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import httpx
import pytest
from lxml import html
from pydantic import BaseModel

from app.models import RESOURCES
from app.models.dates import first_day
from app.models.header import SEED_ONLY_FIELDS, Metadata
from app.models.notation import join_phrases, us_date
from app.pages.record.countries import outline_reference
from app.pages.record.footnotes import text_fragment_url
from app.pages.record.outlines import draw_map
from app.pages.record.timeline import TimeAxis
from app.pages.record.words import (
    FIELD_LABELS,
    amount_in_words,
    field_label,
    money_in_words,
    ordinal,
    precedence_in_words,
    shorten,
)
from benchmarks.corpus import write_corpus
from tests.conftest import SeedCopy
from tests.support.country_outlines import TARGET, country_outlines
from tests.support.html_pages import assert_self_contained, assert_structured
from tests.support.serving import client_for
from tests.support.widest_seed import write_widest_seed

pytestmark = pytest.mark.anyio

BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
HTML_HEADERS = {"Accept": BROWSER_ACCEPT}
MAX_BYTES = 60_000
AWARD = "peru-ilo"


async def get_page(client: httpx.AsyncClient) -> html.HtmlElement:
    """The parsed record page."""
    response = await client.get("/", headers=HTML_HEADERS)
    assert response.status_code == 200
    return html.document_fromstring(response.text)


def visible_text(element: html.HtmlElement) -> str:
    """Text of an element without footnote numbers, with whitespace collapsed."""
    for marker in element.xpath(".//sup"):
        marker.drop_tree()
    return " ".join(element.text_content().split())


async def transfer_size(client: httpx.AsyncClient, coding: str) -> int:
    """Size of the compressed page in bytes."""
    headers = {**HTML_HEADERS, "Accept-Encoding": coding}
    async with client.stream("GET", "/", headers=headers) as response:
        return sum([len(chunk) async for chunk in response.aiter_raw()])


def extend_source(seed: SeedCopy) -> None:
    """Make the archived page so long that it has room for quotes that are made up."""
    seed.put("/sources/0/characters", 1_000_000)
    seed.put("/sources/0/bytes", 1_000_000)


def citation(basis: str, exact: str, offset: int = 0) -> dict[str, object]:
    """A citation of words that are made up, on the page that `extend_source` makes longer."""
    start = 100_000 + offset
    quote = {"source": "us-peru-cpc-page", "start": start, "end": start + len(exact)}
    return {"basis": basis, "note": "Made up.", "quote": {**quote, "exact": exact}}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (BROWSER_ACCEPT, "text/html; charset=utf-8"),
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
async def test_browsers_get_html_and_other_clients_json(
    client: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    """`/` is HTML if the client prefers it, otherwise JSON."""
    response = await client.get("/", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type


async def test_without_accept_header_the_index_is_returned(client: httpx.AsyncClient) -> None:
    """A client without an `Accept` header gets the same JSON as at `/v1`."""
    request = client.build_request("GET", "/")
    del request.headers["accept"]
    response = await client.send(request)
    assert response.content == (await client.get("/v1")).content


async def test_page_and_index_are_cached_separately(client: httpx.AsyncClient) -> None:
    """Page and index have different ETags, support 304 and HEAD, and are never mixed up."""
    etags = set()
    for accept in (BROWSER_ACCEPT, "*/*", BROWSER_ACCEPT, "*/*"):
        headers = {"Accept": accept}
        response = await client.get("/", headers=headers)
        assert ("<!doctype html>" in response.text) == (accept == BROWSER_ACCEPT)
        etags.add(etag := response.headers["etag"])
        revalidated = await client.get("/", headers={**headers, "If-None-Match": etag})
        assert (revalidated.status_code, revalidated.content) == (304, b"")
        head = await client.head("/", headers=headers)
        assert ({**head.headers}, head.content) == ({**response.headers}, b"")
    assert len(etags) == 2


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_the_page_is_small(client: httpx.AsyncClient, coding: str) -> None:
    """The page is smaller than 60 KB in every content coding."""
    assert 0 < await transfer_size(client, coding) < MAX_BYTES


async def test_the_page_is_self_contained(client: httpx.AsyncClient) -> None:
    """There are no scripts or external styles, and the Content-Security-Policy allows none."""
    page = assert_self_contained(await client.get("/", headers=HTML_HEADERS))
    assert page.xpath("//script/@type") == ["application/ld+json"]


async def test_every_citation_is_in_a_footnote(client: httpx.AsyncClient) -> None:
    """The footnotes contain every citation, except those of page furniture."""
    page = await get_page(client)
    citations = (await client.get("/v1/citations")).json()["data"]
    expected = [
        citation["links"]["self"] for citation in citations if citation["field"] != "furniture"
    ]
    assert len(expected) > 150
    links = page.xpath("//ol[@class='footnotes']//a[starts-with(@href, '/v1/citations/')]/@href")
    assert sorted(links) == sorted(expected)


async def test_a_quote_stands_once_with_the_values_it_supports(client: httpx.AsyncClient) -> None:
    """A footnote has quote, position and reference, and each citation's basis, field and note."""
    page = await get_page(client)
    data = (await client.get("/v1/citations")).json()["data"]
    citations = {citation["links"]["self"]: citation for citation in data}
    notes = page.xpath("//ol[@class='footnotes']/li")
    sources = []
    for note in notes:
        values = note.xpath("ul/li/a[starts-with(@href, '/v1/citations/')]")
        for value in values:
            citation = citations[value.get("href")]
            entry = value.getparent()
            basis = entry.xpath("span[contains(@class, 'tag')]")[0]
            assert visible_text(basis) == citation["basis"].capitalize()
            assert value.text == field_label(citation["field"])
            assert (citation["note"] or "") in entry.text_content()
            sources.append(
                (note.get("id"), json.dumps([citation["target"], citation["reference"]]))
            )
            if citation["target"] is None:
                assert citation["reference"]["url"] in note.xpath("p/a/@href")
                continue
            quote, position = citation["target"]["selector"]
            (link,) = note.xpath("p/q/a")
            assert link.text == quote["exact"]
            url, _, fragment = link.get("href").partition("#:~:text=")
            assert url.startswith("https://2017-2021.state.gov/")
            before, after = quote["prefix"] or "", quote["suffix"] or ""
            terms = [f"{before.strip()}-"] * bool(before) + [quote["exact"]]
            terms += [f"-{after.strip()}"] * bool(after)
            assert list(map(unquote, fragment.split(","))) == terms
            assert not set(fragment) & set("& ")
            assert f"{position['start']}–{position['end']}" in visible_text(note)
    assert len(sources) > len(notes)
    assert len(set(sources)) == len({source for _, source in sources}) == len(notes)


async def test_markers_lead_to_the_footnotes_of_their_value(client: httpx.AsyncClient) -> None:
    """The numbers after a value are those of its citations, and each note leads back to them."""
    page = await get_page(client)
    expected: dict[tuple[str, str], set[int]] = {}
    markers: dict[str, set[int]] = {}
    for note in page.xpath("//ol[@class='footnotes']/li"):
        number = int(note.get("id")[1:])
        for back in note.xpath(".//span[@class='back']/a/@href"):
            markers.setdefault(back[1:], set()).add(number)
        for path in note.xpath("ul/li/a[starts-with(@href, '/v1/citations/')]/@href"):
            resource, name = path.rsplit(".", 2)[:2]
            expected.setdefault((resource, name), set()).add(number)
    shown = {}
    for link in page.xpath("//sup[contains(@class, 'marker')]/a"):
        first, _, last = link.text.partition("–")
        shown[link.get("id")] = set(range(int(first), int(last or first) + 1))
        assert link.get("href") == f"#n{first}"
        assert link.get("aria-label") == f"Note{'s' if last else ''} {link.text}"
    assert shown == markers
    (summary,) = page.xpath("//article[@id='award-peru-ilo']/p[not(@class)]")
    numbers = set().union(*(shown[id_] for id_ in summary.xpath("sup/a/@id")))
    assert numbers == expected["/v1/citations/award.peru-ilo", "summary"]
    assert len(numbers) == 8


async def test_notes_are_folded_below_their_section(client: httpx.AsyncClient) -> None:
    """Numbers rise through the page, and every footnote is where its number first occurs."""
    page = await get_page(client)
    folds = page.xpath("//details")
    assert len(folds) > 5
    assert page.xpath("//details[@open]") == []
    numbers = [int(note.get("id")[1:]) for note in page.xpath("//ol[@class='footnotes']/li")]
    assert numbers == list(range(1, len(numbers) + 1))
    order = {element: place for place, element in enumerate(page.iter())}
    previous = 0
    for fold in folds:
        first = int(fold.find("ol").get("start"))
        last = first + len(fold.findall("ol/li")) - 1
        assert visible_text(fold.find("summary")).startswith(f"Notes {first}–{last} sources of")
        (marker,) = page.xpath("//sup/a[@id=$id]", id=f"r{first}-1")
        assert previous < order[marker] < order[fold]
        previous = order[fold]


async def test_fields_that_are_not_stated_are_marked(client: httpx.AsyncClient) -> None:
    """Each field in `not_stated` reads "not stated" on the page."""
    page = await get_page(client)
    for award in (await client.get("/v1/awards")).json()["data"]:
        (article,) = page.xpath(f"//article[@id='award-{award['id']}']")
        facts = article.xpath("dl")[0]
        unknown = set(award["not_stated"]) & {"amount", "trafficking_forms", "has_sub_recipients"}
        assert unknown
        assert facts.text_content().count("not stated") == len(unknown)
    (ends,) = page.xpath("//dt[.='End date']/following-sibling::dd")
    assert visible_text(ends) == "not stated"
    assert "0" not in visible_text(page.xpath("//dt[.='Amount']/following-sibling::dd")[0])


async def test_every_link_has_a_target(client: httpx.AsyncClient) -> None:
    """Each path of this origin returns 200, and each fragment is the id of an element."""
    page = await get_page(client)
    links = set(page.xpath("//a/@href | //link/@href"))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    paths = [link for link in links if link.startswith("/")]
    assert len(paths) > 150
    for path in paths:
        assert (await client.get(path)).status_code == 200, path


async def test_each_section_links_to_its_api_request(client: httpx.AsyncClient) -> None:
    """Every section links to the API request that returns its data."""
    page = await get_page(client)
    for section in page.xpath("//section"):
        requests = section.xpath(".//p[@class='request']/a/@href")
        assert requests
        assert all(request.startswith("/v1/") for request in requests)


async def test_headings_and_tables_are_structured(client: httpx.AsyncClient) -> None:
    """One h1, no skipped heading level, and tables with captions and header scopes."""
    assert_structured(await get_page(client))


async def test_a_changed_value_is_shown_with_its_quote(seed: SeedCopy, tmp_path: Path) -> None:
    """A value and its quote, changed in the seed, appear on the page."""
    for award in seed.data["awards"]:
        award["announced"] = "2018-11"
        (evidence,) = award["evidence"]["announced"]
        start = evidence["quote"]["start"]
        evidence["quote"] |= {"exact": "November 2018", "end": start + 13}
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
    (article,) = page.xpath("//article[@id='award-peru-ilo']")
    (value,) = article.xpath(".//dt[.='Announced']/following-sibling::dd")
    (fragment,) = value.xpath("sup/a/@href")
    assert value.xpath("time/@datetime") == ["2018-11"]
    assert page.xpath(f"//li[@id='{fragment[1:]}']//q/a/text()") == ["November 2018"]
    assert visible_text(value) == "November 2018"
    labels = page.xpath("//ol[@class='timeline']//svg/@aria-label")
    assert any(label.startswith("Announced November 2018") for label in labels)


async def test_a_large_record_is_truncated(tmp_path: Path) -> None:
    """Only the first of many partnerships are shown in full, so the page stays small."""
    path = write_corpus(tmp_path / "corpus", 1_200)
    async with client_for(path, tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
        byte_count = await transfer_size(client, "br")
        total = (await client.get("/v1/partnerships?limit=1")).json()["meta"]["total"]
    assert byte_count < MAX_BYTES
    assert total == 50
    assert len(page.xpath("//dl[@class='figures']")) == 2
    assert f"The first 24 of {total} partnerships" in page.text_content()
    assert page.xpath("//p[@class='more']/a[@href='/v1/regions']")
    assert page.xpath("//b[.='tag'] | //tag") == []
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


async def test_many_citations_are_truncated(seed: SeedCopy, tmp_path: Path) -> None:
    """Of 1,000 citations of a value ten are shown, with a link to all of them."""
    quotes = (hashlib.sha512(str(number).encode()).hexdigest()[:80] for number in range(1_000))
    citations = [citation("editorial", quote, 100 * number) for number, quote in enumerate(quotes)]
    seed.put("/awards/0/evidence/summary", citations)
    extend_source(seed)
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
        path = f"/v1/citations/award.{AWARD}.summary."
        notes = page.xpath(f"//ol/li[@id][.//a[starts-with(@href, '{path}')]]")
        assert len(notes) == 10
        (more,) = page.xpath("//ol[@class='footnotes']//p[@class='more']")
        assert more in notes[-1].iterdescendants()
        assert "The first 10 of 1,000 citations." in visible_text(more)
        (path,) = more.xpath("a/@href")
        assert (await client.get(path)).json()["meta"]["total"] == 1_000
        assert await transfer_size(client, "gzip") < MAX_BYTES
    assert len(page.xpath("//p[@class='more']")) == 1


@pytest.mark.slow
async def test_the_page_of_the_widest_record_is_bounded(tmp_path: Path) -> None:
    """Long texts, lists and citations are cut; each value still has a citation."""
    path = write_widest_seed(tmp_path / "seed.json")
    async with client_for(path, tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
        assert await transfer_size(client, "gzip") < 200_000
    cited = page.xpath("//ol[@class='footnotes']//a[starts-with(@href, '/v1/citations/')]/@href")
    assert len(cited) == len(set(cited))
    assert len(cited) == len({path.rpartition(".")[0] for path in cited}) + 150
    (stakeholders, *_) = page.xpath("//dt[.='Stakeholders']/following-sibling::dd")
    assert "and 28 more" in visible_text(stakeholders)
    cut = page.xpath("//ol[@class='footnotes']//p[@class='more']")
    assert cut
    for more in cut:
        assert more.text_content().startswith("The first")


@pytest.mark.parametrize("ends", ["9999", "9999-12", "9999-12-31", "2017-06-15"])
async def test_the_last_day_of_the_calendar_is_on_the_timeline(
    seed: SeedCopy, tmp_path: Path, ends: str
) -> None:
    """Dates up to the end of the year 9999 are drawn within the timeline."""
    seed.put("/partnerships/0/ends", ends)
    seed.put("/partnerships/0/not_stated", [])
    seed.put("/partnerships/0/evidence/ends", [citation("derived", us_date(ends))])
    extend_source(seed)
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
    labels = page.xpath("//ol[@class='timeline']//svg/@aria-label")
    assert any(label.endswith(f"ends {us_date(ends)}") for label in labels)


async def test_the_page_of_an_empty_record(seed: SeedCopy, tmp_path: Path) -> None:
    """Without partnerships the page reports that and has no empty sections."""
    seed.clear()
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
    assert "has no partnerships yet" in page.text_content()
    assert page.xpath("//svg | //table | //ol[@class='footnotes']") == []


async def test_nouns_agree_with_their_counts(seed: SeedCopy, tmp_path: Path) -> None:
    """One of each thing is written in the singular, in labels and in sentences."""
    seed.put("/partnerships/0/planned_years", 1)
    seed.put("/partnerships/0/evidence/planned_years", [citation("derived", "one year")])
    seed.put("/partnerships/0/regions", ["cusco"])
    seed.put("/partnerships/0/evidence/regions", [citation("derived", "Cusco", 200)])
    extend_source(seed)
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
    text = visible_text(page.xpath("//body")[0])
    assert re.findall(r"\b1 [a-z]+s\b", text) == []
    assert "Planned for 1 year " in text
    labels = {"".join(label.itertext()) for label in page.xpath("//dt")}
    assert {"Countries", "Region", "Objective", "Objectives"} <= labels
    assert page.xpath("//dl[@class='figures']//dt[.='Regions']") == []


COUNTED = "award|byte|character|citation|country|objective|organization|region|source|year"
"""Nouns that the page counts."""


@pytest.mark.parametrize(
    ("award_ids", "heading", "sentence"),
    [
        ([], None, "No award is listed."),
        (["peru-centro-yanapanakusun"], "Award and activities", "The purpose of the award and its"),
        (
            [AWARD, "peru-centro-yanapanakusun"],
            "Awards and activities",
            "The purpose of each award",
        ),
    ],
    ids=["no award", "one award", "two awards"],
)
async def test_headings_agree_with_the_number_of_awards(
    seed: SeedCopy, tmp_path: Path, award_ids: list[str], heading: str | None, sentence: str
) -> None:
    """With no, one and two awards, headings, links and sentences are in the right number."""
    seed.data["awards"] = [item for item in seed.data["awards"] if item["id"] in award_ids]
    seed.data["activities"] = [a for a in seed.data["activities"] if a["award"] in award_ids]
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
    text = visible_text(page.xpath("//main")[0])
    assert page.xpath("//h2[@id='awards']/text()") == [heading] * bool(heading)
    assert page.xpath("//nav//a[@href='#awards']/text()") == [heading] * bool(heading)
    assert sentence in text
    assert len(page.xpath("//ul[@class='legend']/li")) == len(award_ids)
    assert not re.search(rf"\b1 (?:{COUNTED})s\b", text)
    assert not re.search(rf"\b(?:0|[2-9]|[0-9,]+[0-9]) (?:{COUNTED})\b", text)


async def test_one_of_everything_is_in_the_singular(tmp_path: Path) -> None:
    """A record with one resource of each type has no heading in the plural."""
    async with client_for(write_corpus(tmp_path, 1), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
        counts = (await client.get("/v1/meta")).json()["data"]["counts"]
    headings = {heading.get("id"): heading.text for heading in page.xpath("//h2[@id]")}
    nouns = {"where": ("regions", "Region"), "organizations": ("organizations", "Organization")}
    for id_, (collection, noun) in nouns.items():
        assert headings[id_] == (noun if counts[collection] == 1 else f"{noun}s")


async def test_the_largest_figure_is_the_investment(seed: SeedCopy, tmp_path: Path) -> None:
    """One key figure leads: the investment or, if that is not stated, the date of signing."""
    unknown = ("investment_amount", "investment_currency", "investor")
    for names, label, value in ((), "Investment", "US$5 million"), (unknown, "Signed", "June 15"):
        for name in names:
            seed.put(f"/partnerships/0/{name}", None)
            seed.data["partnerships"][0]["evidence"].pop(name, None)
            seed.data["partnerships"][0]["not_stated"].append(name)
        async with client_for(seed.write(), tmp_path / f"{label}.sqlite") as client:
            page = await get_page(client)
        (lead,) = page.xpath("//dl[@class='figures']/div[@class='lead']")
        assert lead.find("dt").text == label
        assert value in visible_text(lead.find("dd"))


async def test_a_long_sum_is_smaller(seed: SeedCopy, tmp_path: Path) -> None:
    """A sum of many digits is written smaller, so that it fits on a line."""
    seed.put("/partnerships/0/investment_amount", 40_663_445_123)
    seed.put("/partnerships/0/evidence/investment_amount", [citation("stated", "$40,663,445,123")])
    extend_source(seed)
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
    (lead,) = page.xpath("//dl[@class='figures']/div[@class='lead long']")
    assert visible_text(lead.find("dd")) == "US$40,663,445,123"


async def test_a_map_without_awards_has_no_letters(seed: SeedCopy, tmp_path: Path) -> None:
    """The caption of the map mentions letters only if there are awards."""
    for emptied, has_letters in ([], True), (["awards", "activities"], False):
        for name in emptied:
            seed.data[name] = []
        async with client_for(seed.write(), tmp_path / f"{has_letters}.sqlite") as client:
            page = await get_page(client)
        caption = page.xpath("string(//figure[@class='map']/figcaption)")
        assert "Outlines:" in caption
        assert ("Letters mark" in caption) is has_letters


@pytest.mark.process
def test_starting_up_imports_no_template_engine() -> None:
    """Importing the application imports neither Jinja nor the record page."""
    script = (
        "import sys, app.main; sys.exit(bool({'jinja2', 'app.pages.record.page'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_text_fragments_are_percent_encoded() -> None:
    """Delimiters of a text directive are encoded, and an existing fragment is kept."""
    assert text_fragment_url("https://a.example/x", "a-b, c & d") == (
        "https://a.example/x#:~:text=a%2Db%2C%20c%20%26%20d"
    )
    assert text_fragment_url("https://a.example/x", "a", "b-c, ", "\n\n  • d") == (
        "https://a.example/x#:~:text=b%2Dc%2C-,a,-d"
    )
    assert text_fragment_url("https://a.example/x", "a", None, ".").endswith("text=a,-.")
    assert (
        text_fragment_url("https://a.example/#top", "é") == "https://a.example/#top:~:text=%C3%A9"
    )


def shown_fields(model: type[BaseModel]) -> set[str]:
    """Names of the fields of a model that are shown, and of the objects in them."""
    fields = {
        name: field
        for name, field in model.model_fields.items()
        if name not in {*SEED_ONLY_FIELDS, "evidence"}
    }
    names = {*fields}
    annotations: list[Any] = [field.annotation for field in fields.values()]
    while annotations:
        annotation = annotations.pop()
        annotations += [*get_args(annotation), *get_args(getattr(annotation, "__value__", None))]
        if isclass(annotation) and issubclass(annotation, BaseModel):
            names |= shown_fields(annotation)
    return names


def test_every_field_has_a_written_label() -> None:
    """No label is made of a field's name: abbreviations would be wrong."""
    models: list[type[BaseModel]] = [*RESOURCES, Metadata]
    names = {name for model in models for name in shown_fields(model)}
    assert {"iso_3166_2", "ordinal", "extraction_version", "wording_license"} <= names
    assert names == FIELD_LABELS.keys()
    assert all(label[0].isupper() for label in FIELD_LABELS.values())


@pytest.mark.parametrize(
    ("formatted", "expected"),
    [
        (us_date("2017-06-15"), "June 15, 2017"),
        (us_date("2017-10"), "October 2017"),
        (us_date("2017"), "2017"),
        (amount_in_words(5_000_000), "5\u00a0million"),
        (amount_in_words(1_250_000), "1.25\u00a0million"),
        (amount_in_words(1_234_567), "1,234,567"),
        (amount_in_words(0), "0"),
        (amount_in_words(1_500_000_000), "1.5\u00a0billion"),
        (amount_in_words(1_230_450_000), "1,230.45\u00a0million"),
        (money_in_words(5_000_000, "USD", None), "US$5\u00a0million"),
        (money_in_words(5_000_000, "USD", "up_to"), "up to US$5\u00a0million"),
        (money_in_words(12_500, "EUR", "at_least"), "at least €12,500"),
        (money_in_words(12_500, "PEN", "about"), "about PEN\u00a012,500"),
        (money_in_words(12_500, None, None), "12,500"),
        (join_phrases([]), ""),
        (join_phrases(["Peru"]), "Peru"),
        (join_phrases(["Peru", "Ghana"]), "Peru and Ghana"),
        (join_phrases(["Peru", "Ghana", "Fiji"]), "Peru, Ghana, and Fiji"),
        (shorten("one two three", 8), "one two …"),
        (shorten("onetwothree", 8), "onetwoth …"),
        (shorten("one two", 8), "one two"),
        (ordinal(1), "first"),
        (ordinal(11), "11th"),
        (ordinal(22), "22nd"),
        (ordinal(113), "113th"),
        (field_label("planned_years"), "Planned duration"),
        (field_label("a_field_of_earlier_releases"), "A field of earlier releases"),
        (field_label("iso_3166_2"), "ISO 3166-2"),
        (field_label("url"), "URL"),
        (
            precedence_in_words(
                [{"scope": "americas", "ordinal": 1}, {"scope": "world", "ordinal": 3}]
            ),
            "First in the Americas, third worldwide",
        ),
    ],
)
def test_values_are_formatted(formatted: str, expected: str) -> None:
    """Dates keep their precision, amounts every digit, and labels their abbreviations."""
    assert formatted == expected


def test_a_date_spans_its_whole_period() -> None:
    """On the time axis a month covers all of its days."""
    axis = TimeAxis.covering(["2017-06-15", None, "2020-12"])
    assert axis == TimeAxis(2017, 2021)
    assert axis is not None
    days = first_day("2021").toordinal() - first_day("2017").toordinal()
    assert axis.span("2020-12").end == 100
    assert axis.span("2017-10").width == pytest.approx(100 * 31 / days, abs=0.02)
    assert axis.span("2017-06-15").width == pytest.approx(100 / days, abs=0.02)
    assert [year for year, _ in axis.ticks] == [2017, 2018, 2019, 2020, 2021]
    assert TimeAxis.covering([None]) is None


def test_the_axis_covers_the_whole_calendar() -> None:
    """From the year 1 to the year 9999, all positions are within the axis and in order."""
    axis = TimeAxis.covering(["0001-01-01", "9999-12-31"])
    assert axis == TimeAxis(1, 10_000)
    assert axis is not None
    positions = [position for _, position in axis.ticks]
    assert positions == sorted(positions)
    assert axis.span("0001").start == positions[0] == 0
    assert axis.span("9999").end == 100


def test_longitudes_are_scaled_by_latitude() -> None:
    """Away from the equator a square in degrees is narrower than it is high."""
    square = {"type": "Polygon", "coordinates": [[[0, 59], [2, 59], [2, 61], [0, 61], [0, 59]]]}
    map_ = draw_map({"square": square}, {"square": "Square"})
    assert map_ is not None
    assert map_.width == pytest.approx(map_.height / 2, rel=0.01)
    assert draw_map({}, {}) is None


def box_outline(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """A rectangle as GeoJSON, cut in two at the antimeridian if its west is beyond its east."""
    if west > east:
        parts = [box_outline(west, south, 180, north), box_outline(-180, south, east, north)]
        return {"type": "MultiPolygon", "coordinates": [part["coordinates"] for part in parts]}
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


STAR = [[cos(step * 2.4) * 10, sin(step * 2.4) * 10] for step in range(5_000)]
OUTLINES: dict[str, list[dict[str, Any]]] = {
    "world": [box_outline(-180, -90, 180, 90)],
    "antimeridian": [box_outline(177, -20, -178, -12)],
    "both sides": [box_outline(178, -19, 179, -16), box_outline(-176, -14, -172, -13)],
    "point": [box_outline(5, 5, 5, 5)],
    "pole": [box_outline(-180, 90, 180, 90)],
    "both poles": [box_outline(0, 90, 0, 90), box_outline(0, -90, 0, -90)],
    "meridian": [box_outline(10, -60, 10, 60)],
    "parallel": [box_outline(-120, 45, 120, 45)],
    "tiny": [box_outline(5, 5, 5.00001, 5.00001)],
    "tiny and huge": [box_outline(-170, -80, 170, 80), box_outline(1, 1, 1.001, 1.001)],
    "far apart": [box_outline(-77.1, -12.1, -77, -12), box_outline(121, 14, 121.1, 14.1)],
    "the same": [box_outline(1, 1, 2, 2)] * 12,
    "many": [box_outline(x, x, x + 1, x + 1) for x in range(12)],
    "detailed": [{"type": "Polygon", "coordinates": [STAR]}] * 12,
    "islands": [
        {
            "type": "MultiPolygon",
            "coordinates": [
                box_outline(x, y, x + 0.5, y + 0.5)["coordinates"]
                for x in range(-90, 90)
                for y in range(-80, 80, 2)
            ],
        }
    ],
}


@pytest.mark.parametrize("name", OUTLINES)
def test_any_outline_is_drawn_on_the_map(name: str) -> None:
    """Shapes and labels are on the map, every region is visible, and the path data are valid."""
    outlines = {str(number): outline for number, outline in enumerate(OUTLINES[name])}
    map_ = draw_map(outlines, dict.fromkeys(outlines, "A name of forty characters, and no more"))
    assert map_ is not None
    assert 0 < map_.width <= 340
    assert 0 < map_.height <= 560
    assert min(map_.width, map_.height) >= 130
    assert len(map_.meridians) + len(map_.parallels) < 20
    assert [shape.region_id for shape in map_.shapes] == list(outlines)
    assert sum(len(shape.path) for shape in map_.shapes) < 120_000
    for shape in map_.shapes:
        points = path_points(shape.path)
        xs, ys = zip(*points, strict=True)
        assert max(max(xs) - min(xs), max(ys) - min(ys)) >= 2
        assert all(-0.1 <= x <= map_.width + 0.1 for x, _ in points)
        assert all(-0.1 <= y <= map_.height + 0.1 for _, y in points)
        left, top, right, bottom = shape.label.box
        assert left >= -0.1
        assert top >= -0.1
        assert right <= max(map_.width, right - left) + 0.1
        assert bottom <= map_.height + 0.1


def path_points(path: str) -> list[tuple[float, float]]:
    """Vertices of SVG path data that `draw_map` wrote: absolute starts, then relative lines."""
    points: list[tuple[float, float]] = []
    number = r"-?[0-9]+(?:\.[0-9])?"
    assert re.fullmatch(rf"(M{number} {number}l{number} {number}(?: {number} {number})*z)+", path)
    for ring in path.rstrip("z").split("z"):
        start, _, lines = ring.removeprefix("M").partition("l")
        x, y = map(float, start.split())
        points.append((x, y))
        numbers = map(float, lines.split())
        for right, down in zip(numbers, numbers, strict=True):
            x, y = x + right, y + down
            points.append((x, y))
    return points


def test_a_map_across_the_antimeridian_is_continuous() -> None:
    """Regions on both sides of the antimeridian are drawn side by side."""
    fiji = {"fiji": box_outline(177, -20, -178, -12)}
    map_ = draw_map(fiji, {"fiji": "Fiji"})
    assert map_ is not None
    assert [label for label, _ in map_.meridians] == ["178°E", "180°", "178°W"]
    positions = [position for _, position in map_.meridians]
    assert positions == sorted(positions)
    xs = [x for x, _ in path_points(map_.shapes[0].path)]
    assert max(xs) - min(xs) > map_.width / 2


SURROUNDED: dict[str, tuple[str, dict[str, Any], bool]] = {
    "part of a country": ("PE", box_outline(-76, -13, -72, -10), True),
    "a country with remote territories": ("FR", box_outline(2, 46, 4, 48), True),
    "an island of many": ("ID", box_outline(110, -8, 114, -7), True),
    "a small part of a large country": ("RU", box_outline(60, 55, 61, 56), True),
    "across the antimeridian": ("FJ", box_outline(177, -20, -178, -12), False),
    "elsewhere": ("PE", box_outline(100, 50, 101, 51), False),
    "an unknown country": ("ZZ", box_outline(-76, -13, -72, -10), False),
}


@pytest.mark.parametrize("name", SURROUNDED)
def test_a_region_is_drawn_within_its_country(name: str) -> None:
    """The country is around the region, which stays large enough; remote parts are left out."""
    country, outline, is_surrounded = SURROUNDED[name]
    alone = draw_map({"region": outline}, {"region": "Region"})
    within = draw_map({"region": outline}, {"region": "Region"}, [country])
    assert alone is not None
    assert within is not None
    assert bool(within.surroundings) is is_surrounded
    if not is_surrounded:
        assert within == alone
        return
    region = path_points(within.shapes[0].path)
    xs, ys = zip(*region, strict=True)
    assert max(max(xs) - min(xs), max(ys) - min(ys)) > max(within.width, within.height) / 8
    assert all(0 <= x <= within.width and 0 <= y <= within.height for x, y in region)
    assert len(within.surroundings) < 120_000
    middle = sum(xs) / len(xs), sum(ys) / len(ys)
    rings = [path_points(f"{ring}z") for ring in within.surroundings.split("z")[:-1]]
    assert any(is_inside(middle, ring) for ring in rings)
    assert all(-5 <= x <= within.width + 5 for ring in rings for x, _ in ring)
    assert all(-5 <= y <= within.height + 5 for ring in rings for _, y in ring)


def is_inside(point: tuple[float, float], ring: list[tuple[float, float]]) -> bool:
    """Whether a point is inside a ring: a ray from it crosses the ring an odd number of times."""
    x, y = point
    crossings = 0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            crossings += 1
    return crossings % 2 == 1


@pytest.mark.node
def test_the_outlines_of_countries_are_those_of_natural_earth() -> None:
    """The file is what `tests.support.country_outlines` makes of the package world-atlas."""
    assert TARGET.read_bytes() == country_outlines()


async def test_the_map_cites_the_outline_of_the_country(client: httpx.AsyncClient) -> None:
    """The caption names its origin and its license, and says that it is no part of the record."""
    page = await get_page(client)
    assert len(page.xpath("//*[@class='country']")) == 1
    (caption,) = page.xpath("//figure[@class='map']/figcaption")
    assert outline_reference()["url"] in caption.xpath("a/@href")
    assert "is not part of the record: Natural Earth" in visible_text(caption)
    assert "Other borders and coastlines" not in visible_text(caption)


@pytest.mark.parametrize("drawn", [["cusco", "loreto"], ["cusco"], []])
async def test_the_page_of_a_record_with_few_outlines(
    seed: SeedCopy, tmp_path: Path, drawn: list[str]
) -> None:
    """Regions without an outline are listed, and the caption of the map counts them."""
    path = seed.path.parent / "regions.geojson"
    outlines = json.loads(path.read_text("utf-8"))
    outlines["features"] = [item for item in outlines["features"] if item["id"] in drawn]
    outlines.pop("bbox", None)
    content = json.dumps(outlines).encode()
    path.write_bytes(content)
    seed.put("/outlines/sha256", hashlib.sha256(content).hexdigest())
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
    assert len(page.xpath("//ul[@class='places']/li")) == 3
    assert len(page.xpath("//*[@class='outline']")) == len(drawn)
    where = visible_text(page.xpath("//section[@aria-labelledby='where']")[0])
    expected = {
        2: "The data has no outline of 1 region listed here.",
        1: "The data has no outlines of 2 regions listed here.",
        0: "no map",
    }
    assert expected[len(drawn)] in where


async def test_the_page_of_a_record_without_outlines(seed: SeedCopy, tmp_path: Path) -> None:
    """A record without a file of outlines has a page without a map."""
    seed.put("/outlines", None)
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
    assert page.xpath("//figure") == []
    assert "no map" in visible_text(page.xpath("//section[@aria-labelledby='where']")[0])


async def test_map_labels_do_not_overlap(client: httpx.AsyncClient) -> None:
    """The labels of the three regions fit on the map and do not overlap."""
    features = (await client.get("/v1/regions?format=geojson")).json()["features"]
    names = {feature["id"]: feature["properties"]["name"] for feature in features}
    map_ = draw_map({feature["id"]: feature["geometry"] for feature in features}, names)
    assert map_ is not None
    boxes = [shape.label.box for shape in map_.shapes]
    assert len(boxes) == 3
    for number, (left, top, right, bottom) in enumerate(boxes):
        assert 0 <= left < right <= map_.width
        for other in boxes[:number]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
