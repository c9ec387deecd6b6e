"""The page of the history: every change with its sources, links that lead on, a bounded size."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from lxml import html

from app.pages.record.words import field_label
from benchmarks.corpus import write_corpus
from tests.conftest import SeedCopy
from tests.support import history
from tests.support.history import FIRST, LABELS, NEW_QUOTE, NOTES, REASON, SECOND, SUCCESSOR, THIRD
from tests.support.html_pages import assert_self_contained, assert_structured
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

PATH = "/history"
BROWSER_HEADERS = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture(scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the record that was corrected twice."""
    folder = tmp_path_factory.mktemp("corrected")
    seed = history.publish_shipped(folder)
    async with client_for(seed, folder / "archive.sqlite") as opened:
        yield opened


async def get_page(client: httpx.AsyncClient) -> html.HtmlElement:
    """The parsed page."""
    response = await client.get(PATH)
    assert response.status_code == 200
    return html.document_fromstring(response.text)


def text_of(element: html.HtmlElement) -> str:
    """Text of an element with white space collapsed."""
    return " ".join(element.text_content().split())


def section(page: html.HtmlElement, label: str) -> html.HtmlElement:
    """The section of a release."""
    (found,) = page.xpath("//section[@aria-labelledby=$label]", label=label)
    return found


async def test_every_release_has_a_section(client: httpx.AsyncClient) -> None:
    """The newest first, each with its date, its reason and its record."""
    page = await get_page(client)
    assert page.xpath("//section/@aria-labelledby") == list(LABELS[::-1])
    for label, note in zip(LABELS, NOTES, strict=True):
        found = section(page, label)
        assert text_of(found.xpath(".//h2[@id=$label]", label=label)[0]) == f"Release {label}"
        assert found.xpath(".//time/@datetime") == [label[:10]]
        assert note in text_of(found)
        assert f"/v1/releases/{label}/record" in found.xpath(".//a/@href")
    assert "The first release." in text_of(section(page, FIRST))


@pytest.mark.parametrize(("since", "until"), [*pairwise(LABELS)])
async def test_every_changed_value_is_shown(
    client: httpx.AsyncClient, since: str, until: str
) -> None:
    """One row a value, with the citations of both sides; those of other fields are counted."""
    response = await client.get(f"/v1/changes?since={since}&until={until}")
    changes = response.json()["data"]
    expected = sorted(
        field_label(change["field"])
        for change in changes
        if change["type"] != "citation" and change["field"] != "id"
    )
    found = section(await get_page(client), until)
    rows = [row for row in found.xpath(".//tbody/tr[th]") if "other citations" not in text_of(row)]
    assert sorted(text_of(row.find("th")) for row in rows) == expected
    text = text_of(found)
    for change in changes:
        for citation in change["citations_before"] + change["citations_after"]:
            assert citation in text
    assert f"Citations: {sum(change['type'] == 'citation' for change in changes)} " in text


async def test_values_are_shown_before_and_after(client: httpx.AsyncClient) -> None:
    """In words, with what differs marked as deleted or inserted."""
    found = section(await get_page(client), SECOND)
    (row,) = found.xpath(".//tr[th='Title' and count(td)=2]")
    before, after = row.findall("td")
    assert text_of(before).startswith("ILO program against child sex and labor trafficking in Peru")
    assert text_of(after).startswith(history.NEW_TITLE)
    assert "".join(before.xpath(".//del/text()")).split() == ["sex", "and", "labor"]
    assert after.xpath(".//ins") == before.xpath(".//ins") == []
    (modified,) = found.xpath(".//tr[th='Modified']")
    assert text_of(modified).endswith("November 24, 2026")


async def test_a_value_with_other_citations_is_shown(client: httpx.AsyncClient) -> None:
    """Although it did not change: the new quotation is marked and links to the archived page."""
    found = section(await get_page(client), THIRD)
    (row,) = found.xpath(".//tbody/tr")
    assert "other citations" in text_of(row.find("th"))
    (new,) = row.xpath(".//li[@class='new']")
    assert str(NEW_QUOTE["exact"]) in text_of(new)
    assert all(":~:text=" in link for link in new.xpath(".//q/a/@href"))
    assert new.xpath(".//q/a")


async def test_a_removed_resource_leads_to_its_successor(client: httpx.AsyncClient) -> None:
    """Its values and why it was removed are shown; neither it nor its citations are links."""
    page = await get_page(client)
    (article,) = section(page, SECOND).xpath(".//article[contains(@class, 'removed')]")
    assert REASON in text_of(article)
    assert f"/v1/activities/{SUCCESSOR}" in article.xpath(".//a/@href")
    assert text_of(article.xpath(".//a[@href=$path]", path=f"/v1/activities/{SUCCESSOR}")[0]) == (
        "Putting victims at the center"
    )
    assert article.xpath(".//thead//th/text()") == ["Field", "Before"]
    assert article.xpath("h3/a") == []
    assert not [link for link in article.xpath(".//a/@href") if "citations" in link]


async def test_every_link_has_a_target(client: httpx.AsyncClient) -> None:
    """Each path of this origin returns 200, and each fragment is the id of an element."""
    page = await get_page(client)
    ids, links = page.xpath("//@id"), set(page.xpath("//a/@href | //link/@href"))
    assert len(ids) == len(set(ids))
    for link in links:
        path, _, fragment = link.removeprefix(PATH).partition("#")
        assert not fragment or fragment in ids or path
        if path.startswith("/"):
            assert (await client.get(path)).status_code == 200, path
    assert len(links) > 20


async def test_the_page_is_self_contained(client: httpx.AsyncClient) -> None:
    """No scripts and nothing from elsewhere: the policy allows its own style sheet only."""
    page = assert_self_contained(await client.get(PATH))
    assert page.xpath("//script | //img") == []


async def test_headings_and_tables_are_structured(client: httpx.AsyncClient) -> None:
    """One h1, no skipped heading level, and tables with captions and header scopes."""
    assert_structured(await get_page(client))


async def test_the_page_is_cached_like_others(client: httpx.AsyncClient) -> None:
    """An entity tag, 304, HEAD, and a query string that is ignored, as on the guide."""
    response = await client.get(PATH)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["vary"] == "Accept-Encoding"
    fresh = await client.get(PATH, headers={"if-none-match": response.headers["etag"]})
    assert (fresh.status_code, fresh.content) == (304, b"")
    assert (await client.head(PATH)).headers["etag"] == response.headers["etag"]
    assert (await client.get(f"{PATH}?utm_source=x")).content == response.content
    assert (await client.get(PATH, headers={"accept": "application/json"})).status_code == 200


async def test_the_record_page_names_the_release(client: httpx.AsyncClient) -> None:
    """And links to what it changed, at the top and at the end."""
    response = await client.get("/", headers=BROWSER_HEADERS)
    page = html.document_fromstring(response.text)
    links = page.xpath("//a[@href=$href]", href=f"{PATH}#{THIRD}")
    assert [text_of(link) for link in links] == ["what changed", "what changed"]
    for link in links:
        assert f"Release {THIRD}, what changed" in text_of(link.getparent())


async def test_a_draft_is_shown_as_a_draft(seed: SeedCopy, tmp_path: Path) -> None:
    """Its changes are shown, and that it is not released."""
    history.publish(tmp_path, deepcopy(seed.data), FIRST)
    history.correct_first(seed.data)
    seed.data.pop("release", None)  # it names a release that is not filed here
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        page = await get_page(client)
        record_page = await client.get("/", headers=BROWSER_HEADERS)
    found = section(page, "draft")
    assert text_of(found.find(".//h2")) == "Draft"
    assert "has not been released" in text_of(found)
    assert history.NEW_TITLE in text_of(found)
    assert 'Draft, <a href="/history#draft">what changed</a>' in record_page.text


async def test_a_draft_before_every_release_is_no_release(seed: SeedCopy, tmp_path: Path) -> None:
    """Neither page calls it one or says that it stays available."""
    seed.data.pop("release", None)
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        found = text_of(section(await get_page(client), "draft"))
        record_page = await client.get("/", headers=BROWSER_HEADERS)
    assert "There is no release yet." in found
    assert "The first release." not in found
    assert "The data is a draft" in record_page.text
    assert "The citation names the release" not in record_page.text


async def test_a_large_release_is_truncated(tmp_path: Path) -> None:
    """The size of the page is bounded, and it says where all changes are."""
    content = json.loads(write_corpus(tmp_path, 500).read_text("utf-8"))
    history.publish(tmp_path, deepcopy(content), FIRST)
    for collection in ("activities", "awards", "objectives"):
        for entry in content[collection]:
            entry["title"] = f"<script>Corrected</script> {entry['title']}"
    seed = history.publish(tmp_path, content, SECOND)
    async with client_for(seed, tmp_path / "archive.sqlite") as client:
        response = await client.get(PATH)
        total = (await client.get(f"/v1/changes?since={FIRST}")).json()["meta"]["total"]
    found = section(html.document_fromstring(response.text), SECOND)
    assert 195 < len(found.xpath(".//tbody/tr[th]")) <= 200 < total
    assert "Only the first changes are shown" in text_of(found)
    assert f"/v1/changes?since={FIRST}&until={SECOND}" in found.xpath(".//a/@href")
    assert b"<script>" not in response.content
    assert len(response.content) < 1_000_000
