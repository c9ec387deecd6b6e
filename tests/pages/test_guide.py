"""The guide's lines run as they stand, and its pages are the same for everyone who asks alike."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from app.pages.guide.context import DEFAULT_BASE_URL
from app.responses.problems import PROBLEMS
from tests.conftest import SeedCopy, needs
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, published_client
from tests.support.serving import client_for

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
LANGUAGES = {"bash": ["bash", "-euc"], "python": [sys.executable, "-c"], "js": ["node", "-e"]}
RUNNING = ["start", "filtering", "paging", "related", "formats", "evidence", "errors", "caching"]
"""Sections of the guide with lines to run."""


def snippets(page: bytes) -> dict[tuple[str, str], str]:
    """The lines of the guide, by section and language."""
    found = {}
    for figure in html.fromstring(page).iterfind(".//figure[@data-language]"):
        section = figure.xpath("ancestor::section[1]/@aria-labelledby")[0]
        code = figure.find(".//code").text_content()
        found[section, figure.get("data-language")] = code
    return found


@pytest.fixture(scope="module")
def guide(start_server: Any, archive_file: Path) -> tuple[str, dict[tuple[str, str], str]]:
    """A server that knows no address of its own, and the lines of its guide."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file))
    return url, snippets(httpx.get(f"{url}/docs").raise_for_status().content)


def expected(section: str, url: str) -> list[str]:
    """What the lines of a section print, as the API has it."""

    def ids(path: str) -> list[str]:
        return [one["id"] for one in httpx.get(f"{url}{path}").raise_for_status().json()["data"]]

    return {
        "start": ["ILO programme against child sex and labor trafficking in Peru"],
        "filtering": ids("/v1/awards"),
        "paging": ids("/v1/activities"),
        "related": [*ids("/v1/objectives"), "International Labor Organization"],
        "formats": [],
        "evidence": ["October 2017", "stated", "announced"],
        "errors": ["/problems/invalid-parameters", "regoin is not a parameter"],
        "caching": ["304"],
    }[section]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", RUNNING)
def test_lines_run(
    guide: tuple[str, dict[tuple[str, str], str]], tmp_path: Path, section: str, language: str
) -> None:
    """Each snippet, run as it stands against a real server, prints what its section is about."""
    url, lines = guide
    program = LANGUAGES[language]
    needs(program[0], "the guide's lines are run")
    needs("curl", "the guide's lines use it")
    assert DEFAULT_BASE_URL in lines[section, language]
    done = subprocess.run(
        [*program, in_function(lines[section, language].replace(DEFAULT_BASE_URL, url), language)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    for fact in expected(section, url):
        assert fact in done.stdout, f"{fact} in {done.stdout}"


def test_an_objective_that_is_not_stated_is_none(
    guide: tuple[str, dict[tuple[str, str], str]],
) -> None:
    """The lines that read CSV tell a list from no list, and never print a nameless objective."""
    url, lines = guide
    code = lines["formats", "python"].replace(DEFAULT_BASE_URL, url)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    told = [line.split(" ", 1)[1] for line in done.stdout.splitlines()]
    data = httpx.get(f"{url}/v1/activities").raise_for_status().json()["data"]
    assert told == [str(one["objectives"]) for one in data]
    assert "None" in told


def in_function(code: str, language: str) -> str:
    """JavaScript in an asynchronous function, as a browser's console has it; else as it is."""
    return f"(async () => {{\n{code}\n}})();" if language == "js" else code


def test_every_section_has_every_language(
    guide: tuple[str, dict[tuple[str, str], str]],
) -> None:
    """No section gives an example in one language and leaves out another."""
    _, lines = guide
    assert set(lines) == {(section, one) for section in RUNNING for one in LANGUAGES}


@pytest.mark.anyio
async def test_the_answer_shown_is_the_answer(client: httpx.AsyncClient) -> None:
    """The guide's first answer, and its error, are what the API gives."""
    page = html.fromstring((await client.get("/docs")).content)
    shown = [one.find(".//code").text_content() for one in page.find_class("answer")]
    given = [
        (await client.get(path)).json()
        for path in ("/v1/awards/peru-ilo", "/v1/awards?regoin=cusco")
    ]
    assert [httpx.Response(200, text=one).json() for one in shown] == given


@pytest.mark.anyio
async def test_the_guide_names_every_filter_path_and_problem(client: httpx.AsyncClient) -> None:
    """What can be asked is in the guide: each path of the contract, each kind of error."""
    text = (await client.get("/docs")).text
    document = (await client.get("/openapi.json")).json()
    assert [path for path in document["paths"] if f"<code>{path}</code>" not in text] == []
    assert [slug for slug in PROBLEMS if f"/problems/{slug}" not in text] == []
    for parameter in ("trafficking_form", "resource_type", "investment_amount"):
        assert f"<code>{parameter}</code>" in text


@pytest.mark.anyio
async def test_the_guide_does_not_depend_on_the_host(client: httpx.AsyncClient) -> None:
    """Whatever name the server is called by, the bytes are the same and do not hold it."""
    first = await client.get("/docs", headers={"Host": "a.example"})
    second = await client.get("/docs", headers={"Host": "b.example"})
    assert first.content == second.content
    assert b".example" not in first.content


@pytest.mark.anyio
async def test_the_guide_uses_the_public_address(seed: SeedCopy, tmp_path: Path) -> None:
    """Where a setting says how the API is found from outside, the lines say so too."""
    async with published_client(seed.write(), tmp_path / "archive.sqlite") as client:
        page = (await client.get("/docs")).content
    for line in snippets(page).values():
        assert PUBLIC_URL in line
        assert DEFAULT_BASE_URL not in line
    assert b"data-base" not in page


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("partnership", "path"), [(True, "/v1/partnerships/us-peru-cpc'"), (False, "/v1'")]
)
async def test_the_guide_of_an_empty_record(
    seed: SeedCopy, tmp_path: Path, partnership: bool, path: str
) -> None:
    """Without an award, or anything at all, the guide still stands, on what is there."""
    lists = [name for name, value in seed.data.items() if isinstance(value, list)]
    for name in ["awards", "activities"] if partnership else lists:
        seed.data[name] = []
    if not partnership:
        outlines = b'{"type": "FeatureCollection", "features": []}'
        (tmp_path / "regions.geojson").write_bytes(outlines)
        seed.data["outlines"]["sha256"] = sha256(outlines).hexdigest()
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        response = await client.get("/docs")
        assert response.status_code == 200
        lines = snippets(response.content)
        assert path in lines["start", "bash"]
        told = "".join(lines.values()).replace("If-None-Match", "").replace("else None)", "")
        assert "None" not in told


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/problems", *(f"/problems/{slug}" for slug in PROBLEMS)])
async def test_a_type_is_explained_to_people_and_programs(
    client: httpx.AsyncClient, path: str
) -> None:
    """A browser gets a page, a program JSON with the same words; each has a tag of its own."""
    page = await client.get(path, headers={"Accept": BROWSER})
    data = await client.get(path)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert data.headers["content-type"] == "application/json"
    assert page.headers["etag"] != data.headers["etag"]
    assert page.headers["vary"] == data.headers["vary"] == "Accept, Accept-Encoding"
    kinds = data.json()["data"]
    text = " ".join(html.fromstring(page.content).text_content().split())
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        assert kind["title"] in text
        assert kind["explanation"].replace("`", "") in text


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html", "text/html"),
        ("text/html;q=0.5, application/json;q=0.4", "text/html"),
        ("application/json, text/html", "application/json"),
        ("text/csv", "application/json"),
        ("application/problem+json, */*;q=0.1", "application/json"),
    ],
)
async def test_a_page_is_for_those_who_prefer_one(
    client: httpx.AsyncClient, accept: str, given: str
) -> None:
    """JSON unless HTML is wanted more, also after the other was kept."""
    for before in (BROWSER, "*/*"):
        await client.get("/problems/not-found", headers={"Accept": before})
        answer = await client.get("/problems/not-found", headers={"Accept": accept})
        assert answer.headers["content-type"].partition(";")[0] == given
        head = await client.head("/problems/not-found", headers={"Accept": accept})
        assert head.headers["etag"] == answer.headers["etag"]


@pytest.mark.anyio
async def test_browsers_get_the_data_in_json(client: httpx.AsyncClient) -> None:
    """A page is given only where there is one: a collection and an error stay JSON."""
    awards = await client.get("/v1/awards", headers={"Accept": BROWSER})
    assert awards.headers["content-type"] == "application/json"
    assert_problem(await client.get("/problems/nope", headers={"Accept": BROWSER}), 404)


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/docs", "/problems", "/problems/not-found"])
async def test_pages_run_and_load_nothing_but_this_origins(
    client: httpx.AsyncClient, path: str
) -> None:
    """The policy is strict, and no page has anything inline that it would have to allow."""
    response = await client.get(path, headers={"Accept": BROWSER})
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = html.fromstring(response.content)
    assert page.xpath("//script[not(@src)] | //style | //@style") == []
    for address in page.xpath("//script/@src | //link/@href | //img/@src"):
        assert address.startswith("/")
        assert (await client.get(address)).status_code == 200


@pytest.mark.anyio
async def test_an_asset_that_is_not_there(client: httpx.AsyncClient) -> None:
    """Another name beside the documentation's files is a 404 that lists them."""
    problem = assert_problem(await client.get("/docs/nope.js"), 404)
    assert "docs.js" in problem["detail"]
