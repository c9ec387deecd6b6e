"""Errors as pages: what a person sees who opens a wrong address in a browser."""

from __future__ import annotations

import asyncio
import re
from copy import deepcopy
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from app.main import create_app
from app.responses.problems import PROBLEMS, prefers_html
from app.settings import Settings
from tests.conftest import SEED, SeedCopy
from tests.support import history
from tests.support.problem import assert_problem
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
BROWSER = {"Accept": BROWSER_ACCEPT}
ERRORS = {
    "/nope": 404,
    "/v1/awards/": 404,
    "/v1/awards/nope": 404,
    "/problems/nope": 404,
    "/docs/nope.js": 404,
    "/v1/exports/nope": 404,
    "/v1/awards?regoin=cusco": 422,
    "/v1/awards?region=cusco,loreto&sort=up&limit=0": 422,
    "/v1/meta?x=%3Cscript%3E": 422,
    "/v1/search": 422,
    "/v1/awards?cursor=AAAA": 422,
    "/%3Cscript%3Ealert(1)%3C/script%3E": 404,
}
IGNORED_HEADERS = {
    "content-type", "content-length", "content-security-policy", "x-request-id", "content-encoding",
}  # fmt: skip


def text_of(response: httpx.Response) -> str:
    """The text of a page with single spaces."""
    return " ".join(html.fromstring(response.text).text_content().split())


@pytest.mark.parametrize(("url", "status"), ERRORS.items())
async def test_a_browser_gets_the_problem_as_a_page(
    client: httpx.AsyncClient, url: str, status: int
) -> None:
    """Status, headers and content are those of the problem document; nothing may be stored."""
    problem = assert_problem(await client.get(url), status)
    page = await client.get(url, headers=BROWSER)
    assert page.status_code == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-request-id"]
    text = text_of(page)
    document = html.fromstring(page.text)
    assert problem["title"] in text
    assert problem["instance"] in text
    for error in problem.get("errors", []):
        for value in [error["message"], error["did_you_mean"], *(error["allowed"] or [])]:
            assert value is None or " ".join(value.split()) in text
    if "errors" not in problem:
        assert problem["detail"].removesuffix("?") in text
    links = {link for _, _, link, _ in document.iterlinks()}
    assert {problem["type"], "/docs", "/v1", "/"} <= links
    for link in links:
        assert (await client.get(link)).status_code == 200, link


SUGGESTIONS = {
    "/v1/awards/": "/v1/awards",
    "/v1//awards/peru-ilo/": "/v1/awards/peru-ilo",
    "/v1/award": "/v1/awards",
    "/v1/organisation/ilo": "/v1/organizations/ilo",
    "/v1/awards/PERU-ILO": "/v1/awards/peru-ilo",
    "/v1/awards/peru-illo": "/v1/awards/peru-ilo",
    "/v1/awards/something-else-altogether": None,
    "/v1/releases/2026-11-23": "/v1/releases/2026-11-27",
    "/histroy": "/history",
    "/problem/not-found": "/problems/not-found",
    "/v1/awards?regoin=cusco": "/v1/awards?region=cusco",
    "/v1/awards?region=cusco,loreto&sort=titel": "/v1/awards?region=cusco&region=loreto&sort=title",
    "/v1/awards?region[]=cusco&per_page=5": "/v1/awards?region=cusco&limit=5",
    "/v1/awards?sort=title&sort=ends&limit=1": "/v1/awards?sort=title&limit=1",
    "/v1/awards?q=child+sex&nothing-like-it=1": "/v1/awards?q=child+sex",
    "/v1/awards?nothing-like-it=1": "/v1/awards",
    "/v1/awards?limit=5&regoin=cusco&regoins=cusco": "/v1/awards?limit=5&region=cusco",
    "/v1/awards?include=recipeint&include=regions": "/v1/awards?include=recipient&include=regions",
    "/v1/meta?x=1": "/v1/meta",
    "/v1/awards?region=%FF%3Cb%3E&limit=2": "/v1/awards?limit=2",
    "/v1/search": None,
    "/v1/search?query=": None,
    "/v1/search?query=lima": "/v1/search?q=lima",
    f"/v1/awards?{'&'.join(f'regoin{number}=cusco' for number in range(500))}": None,
}
"""What the page of an error links to as the address that was probably meant."""


@pytest.mark.parametrize(("url", "suggestion"), SUGGESTIONS.items())
async def test_a_page_links_to_what_was_meant(
    client: httpx.AsyncClient, url: str, suggestion: str | None
) -> None:
    """The suggested address works; without a similar one, none is suggested."""
    page = await client.get(url, headers=BROWSER)
    assert page.status_code in (404, 422)
    links = html.fromstring(page.text).xpath("//p[@class='suggestion']/a/@href")
    assert links == ([suggestion] if suggestion else [])
    for link in links:
        assert (await client.get(link)).status_code == 200


@pytest.mark.parametrize(
    ("url", "nearest"),
    [
        ("/v1/awards/something-else-altogether", "/v1/awards"),
        ("/v1/awards/peru-ilo/title", "/v1/awards/peru-ilo"),
        ("/v1/releases/2020/record/x", "/v1/releases/2020/record"),
        ("/problems/x", "/problems"),
        ("/x/y", None),
    ],
)
async def test_a_page_links_to_the_nearest_address(
    client: httpx.AsyncClient, url: str, nearest: str | None
) -> None:
    """The longest existing path that the address begins with, if it is no other link."""
    page = html.fromstring((await client.get(url, headers=BROWSER)).text)
    assert page.xpath("//li[contains(., 'nearest address')]/a/@href") == [nearest] * bool(nearest)


async def test_a_removed_resource_leads_on(seed: SeedCopy, tmp_path: Path) -> None:
    """The page of a 410 links to what replaced it, and to the release that removed it."""
    history.publish(tmp_path, deepcopy(seed.data), history.FIRST)
    history.correct_first(seed.data)
    path = history.publish(tmp_path, seed.data, history.SECOND)
    url = f"/v1/activities/{history.REMOVED}"
    async with client_for(path, tmp_path / "archive.sqlite") as client:
        problem = assert_problem(await client.get(url), 410)
        page = html.fromstring((await client.get(url, headers=BROWSER)).text)
    assert page.xpath("//p[@class='suggestion']/a/@href") == problem["replaced_by"] != []
    assert f"/history#{history.SECOND}" in page.xpath("//main//a/@href")
    assert history.REASON in page.text_content()


@pytest.mark.parametrize("url", ERRORS)
async def test_a_page_has_the_headers_of_the_document(client: httpx.AsyncClient, url: str) -> None:
    """All headers that do not describe the body are the same, and HEAD has them too."""
    document, page, head = [
        await client.request(method, url, headers=headers)
        for method, headers in (("GET", {}), ("GET", BROWSER), ("HEAD", BROWSER))
    ]
    others = [
        {name: value for name, value in response.headers.items() if name not in IGNORED_HEADERS}
        for response in (document, page, head)
    ]
    assert others[0] == others[1] == others[2]
    assert "accept" in page.headers["vary"].lower()
    assert head.content == b""
    assert head.headers["content-type"] == page.headers["content-type"]


async def test_pages_and_documents_at_the_same_time(client: httpx.AsyncClient) -> None:
    """Simultaneous requests for one address each get what they prefer, in their content coding."""
    preferences = [
        {},
        BROWSER,
        BROWSER | {"Accept-Encoding": "br"},
        {"Accept-Encoding": "zstd"},
    ] * 5
    url = "/v1/awards?regoin=cusco&sort=titel"
    responses = await asyncio.gather(*(client.get(url, headers=sent) for sent in preferences))
    for sent, response in zip(preferences, responses, strict=True):
        is_page = response.headers["content-type"].startswith("text/html")
        assert is_page is ("Accept" in sent)
        coding = sent.get("Accept-Encoding")
        assert coding is None or response.headers["content-encoding"] == coding


async def test_echoed_text_is_escaped(client: httpx.AsyncClient) -> None:
    """Neither a path nor a parameter becomes markup, and the page loads nothing inline."""
    for url in ("/<script>alert(1)</script>", "/v1/awards?<b>=1", "/v1/awards?region=<img>"):
        page = await client.get(url, headers=BROWSER)
        assert not re.search(r"<(script|b|img)\b", page.text)
        assert "style=" not in page.text
        assert "'unsafe" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<img>" in unescape(page.text)


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (BROWSER_ACCEPT, True),
        ("text/html", True),
        ("text/*", True),
        ("TEXT/HTML", True),
        ("application/json;q=0.5, text/html", True),
        ("text/html, application/json;q=0.9, application/problem+json;q=0.9", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/problem+json", False),
        ("text/csv", False),
        ("image/avif,image/webp,*/*;q=0.8", False),
        ("text/html, application/json", False),
        ("text/html, application/problem+json", False),
        ("text/html;q=0.5, application/problem+json", False),
        ("text/html;q=0.5, */*", False),
        ("text/html;q=0", False),
        ("nonsense", False),
    ],
)
async def test_accept_decides(client: httpx.AsyncClient, accept: str, is_page: bool) -> None:
    """Only a client that prefers HTML to JSON gets a page; without `Accept` it is JSON."""
    assert prefers_html(accept.encode()) == is_page
    response = await client.get("/nope", headers={"Accept": accept})
    expected = "text/html; charset=utf-8" if is_page else "application/problem+json"
    assert response.headers["content-type"] == expected


async def test_without_accept_it_is_json(client: httpx.AsyncClient) -> None:
    """A client that sends no `Accept` at all gets the document."""
    request = client.build_request("GET", "/nope")
    del request.headers["accept"]
    assert_problem(await client.send(request), 404)


async def test_a_method_that_is_not_allowed(client: httpx.AsyncClient) -> None:
    """A form that is sent here gets a page, with `Allow`."""
    page = await client.post("/v1/awards", headers=BROWSER)
    assert (page.status_code, page.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert "POST is not allowed" in text_of(page)
    page = await client.post("/v1/awards/peru-ilo", headers=BROWSER)
    assert "/v1/awards/peru-ilo" in html.fromstring(page.text).xpath("//li/a/@href")


async def test_no_acceptable_format(client: httpx.AsyncClient) -> None:
    """A client that accepts HTML alone is told the formats in HTML."""
    page = await client.get("/v1/awards", headers={"Accept": "text/html"})
    assert page.status_code == 406
    assert "text/csv" in text_of(page)


@pytest.mark.parametrize("path", ["/v1/awards", "/nope"])
async def test_errors_before_routing(archive_file: Path, path: str) -> None:
    """A host that is not served and a record that is not loaded are pages, too."""
    settings = Settings(seed_file=SEED, archive_file=archive_file, allowed_hosts="record.test")
    transport = httpx.ASGITransport(app=create_app(settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://other.test") as other:
        page = await other.get(path, headers=BROWSER)
        assert (page.status_code, page.headers["cache-control"]) == (400, "no-store")
        assert "host" in text_of(page)
    async with httpx.AsyncClient(transport=transport, base_url="http://record.test") as not_loaded:
        page = await not_loaded.get("/v1/meta", headers=BROWSER)
        assert page.status_code == 503
        assert page.headers["retry-after"]
        assert page.headers["content-type"].startswith("text/html")


async def test_an_unexpected_error(archive_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A bug is a page without a traceback, and names the request id."""
    app = create_app(Settings(seed_file=SEED, archive_file=archive_file))

    async def fail() -> None:
        raise ZeroDivisionError("secret")

    app.add_api_route("/fail", fail)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://record.test") as client,
    ):
        page = await client.get("/fail", headers=BROWSER | {"X-Request-Id": "abc"})
    assert page.status_code == 500
    assert "abc" in text_of(page)
    assert "secret" not in page.text
    assert "secret" in caplog.text


async def test_every_problem_type_has_a_page(client: httpx.AsyncClient) -> None:
    """The type of a problem leads to its explanation for browsers."""
    for slug, problem in PROBLEMS.items():
        page: Any = await client.get(f"/problems/{slug}", headers=BROWSER)
        assert problem.title in text_of(page)
