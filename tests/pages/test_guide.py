"""The guide's examples run as is; guide and problem pages negotiate, cache and restrict content."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from app.pages.guide.context import DEFAULT_BASE_URL
from app.responses.problems import PROBLEMS
from tests.conftest import ROOT, SeedCopy, needs
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, published_client
from tests.support.serving import client_for, fetch

BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
INTERPRETERS = {"bash": ["bash", "-euc"], "python": [sys.executable, "-c"], "js": ["node", "-e"]}
EXAMPLE_SECTIONS = [
    "start",
    "filtering",
    "paging",
    "fields",
    "related",
    "formats",
    "evidence",
    "cite",
    "errors",
    "caching",
    "changes",
]
"""Sections of the guide that have code examples, each of which runs as is."""
RUNNING_EXAMPLES = [
    *((section, language) for section in EXAMPLE_SECTIONS for language in INTERPRETERS),
    ("copy", "bash"),
]
"""Sections and languages of these examples; the programs that keep a copy are files."""
PROGRAMS = {"python": "keep_a_copy.py", "js": "keep_a_copy.mjs"}


def code_examples(page: bytes) -> dict[tuple[str, str], str]:
    """Code examples of the guide by section and language."""
    examples = {}
    for figure in html.fromstring(page).iterfind(".//figure[@data-language]"):
        section = figure.xpath("ancestor::section[1]/@aria-labelledby")[0]
        code = figure.find(".//code").text_content()
        examples[section, figure.get("data-language")] = code
    return examples


@pytest.fixture(scope="module")
def guide(start_server: Any, archive_file: Path) -> tuple[str, dict[tuple[str, str], str]]:
    """Base URL of a server without `PUBLIC_URL`, and the code examples of its guide."""
    url, _ = start_server(ARCHIVE_FILE=str(archive_file))
    return url, code_examples(fetch(f"{url}/docs").raise_for_status().content)


def expected_output(section: str, url: str) -> list[str]:
    """Texts that the examples of a section print."""

    def ids(path: str, field: str = "id") -> list[str]:
        response = fetch(f"{url}{path}").raise_for_status()
        return [resource[field] for resource in response.json()["data"]]

    return {
        "start": ["ILO program against child sex and labor trafficking in Peru"],
        "filtering": ids("/v1/awards"),
        "paging": ids("/v1/activities"),
        "fields": [*ids("/v1/regions"), "PE-LMA"],
        "related": [*ids("/v1/objectives", "title"), "International Labor Organization"],
        "formats": [],
        "evidence": ["October 2017", "stated", "announced"],
        "cite": [fetch(f"{url}/v1/cite").json()[0]["URL"]],
        "errors": ["/problems/invalid-parameters", "Unknown parameter"],
        "caching": ["304"],
        "changes": [],
        "copy": ['"data":[]'],
    }[section]


@pytest.mark.parametrize(
    ("section", "language"),
    [
        pytest.param(section, language, marks=[pytest.mark.node] if language == "js" else [])
        for section, language in RUNNING_EXAMPLES
    ],
)
def test_examples_run(
    guide: tuple[str, dict[tuple[str, str], str]], tmp_path: Path, section: str, language: str
) -> None:
    """Each example runs as is against a real server and prints the data of its section."""
    url, examples = guide
    output = run_example(examples[section, language], language, url, tmp_path)
    assert output.strip()
    for text in expected_output(section, url):
        assert text in output, f"{text} in {output}"


def run_example(code: str, language: str, url: str, folder: Path) -> str:
    """What an example prints, with the address of a server in it."""
    interpreter = INTERPRETERS[language]
    needs(interpreter[0], "the guide's examples are run")
    needs("curl", "the guide's examples use it")
    assert DEFAULT_BASE_URL in code
    completed = subprocess.run(
        [*interpreter, as_script(code.replace(DEFAULT_BASE_URL, url), language)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


@pytest.mark.parametrize("language", ["bash", "python"])
def test_examples_run_on_an_empty_record(
    seed: SeedCopy, start_server: Any, tmp_path: Path, language: str
) -> None:
    """Without any resource, every example still runs."""
    seed.clear()
    archive = str(tmp_path / "archive.sqlite")
    url, _ = start_server(SEED_FILE=str(seed.write()), ARCHIVE_FILE=archive)
    examples = code_examples(fetch(f"{url}/docs").raise_for_status().content)
    for section in EXAMPLE_SECTIONS:
        run_example(examples[section, language], language, url, tmp_path)


def test_csv_example_distinguishes_null_from_an_empty_list(
    guide: tuple[str, dict[tuple[str, str], str]],
) -> None:
    """The CSV example prints None for objectives that are not stated, and never an empty id."""
    url, examples = guide
    code = examples["formats", "python"].replace(DEFAULT_BASE_URL, url)
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    printed = [line.split(" ", 1)[1] for line in output.splitlines()]
    data = fetch(f"{url}/v1/activities").raise_for_status().json()["data"]
    assert printed == [str(activity["objectives"]) for activity in data]
    assert "None" in printed


def as_script(code: str, language: str) -> str:
    """The code; JavaScript in an async function, because Node's `-e` has no top-level await."""
    return f"(async () => {{\n{code}\n}})();" if language == "js" else code


def test_every_section_has_every_language(
    guide: tuple[str, dict[tuple[str, str], str]],
) -> None:
    """Each section has its example in every language."""
    _, examples = guide
    assert set(examples) == {
        (section, language) for section in (*EXAMPLE_SECTIONS, "copy") for language in INTERPRETERS
    }


@pytest.mark.node
@pytest.mark.parametrize("name", PROGRAMS.values())
def test_programs_that_keep_a_copy_say_how_they_are_run(name: str) -> None:
    """Without the name of a file, they end with their usage."""
    runtime = sys.executable if name.endswith(".py") else needs("node", "programs of the guide")
    program = ROOT / "examples" / "keep-a-copy" / name
    result = subprocess.run([runtime, program], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: ")
    assert result.stderr.endswith(f" {name} copy.json\n")


@pytest.mark.anyio
@pytest.mark.parametrize(("language", "name"), PROGRAMS.items())
async def test_programs_in_the_guide_are_files(
    client: httpx.AsyncClient, language: str, name: str
) -> None:
    """The guide shows the whole of each program that `examples/keep-a-copy` has."""
    shown = code_examples((await client.get("/docs")).content)["copy", language]
    program = (ROOT / "examples" / "keep-a-copy" / name).read_text("utf-8")
    assert shown == program.rstrip("\n")


@pytest.mark.anyio
async def test_commands_that_generate_clients_are_those_of_their_page(
    client: httpx.AsyncClient,
) -> None:
    """The guide has a command each for TypeScript and Python, which docs/clients.md has tested."""
    page = html.fromstring((await client.get("/docs")).content)
    commands = page.xpath("//section[@aria-labelledby='clients']//pre/code")
    tested = (ROOT / "docs" / "clients.md").read_text("utf-8").splitlines()
    assert len(commands) == 2
    for command in commands:
        assert command.text_content().strip() in tested


@pytest.mark.anyio
async def test_responses_in_the_guide_are_real(client: httpx.AsyncClient) -> None:
    """The response and the error shown in the guide equal what the API returns."""
    page = html.fromstring((await client.get("/docs")).content)
    shown = [figure.find(".//code").text_content() for figure in page.find_class("response")]
    returned = [
        (await client.get(path)).json()
        for path in ("/v1/awards/peru-ilo", "/v1/awards?regoin=metropolitan-lima")
    ]
    assert [json.loads(text) for text in shown] == returned


@pytest.mark.anyio
async def test_how_to_cite_shows_a_citation(client: httpx.AsyncClient) -> None:
    """The citation is the response to the example, and every format has its name."""
    page = html.document_fromstring((await client.get("/docs")).content)
    requested = code_examples((await client.get("/docs")).content)["cite", "bash"]
    response = await client.get(requested.split("'")[1].removeprefix(DEFAULT_BASE_URL))
    assert page.get_element_by_id("citation").text_content() == response.text.rstrip()
    section = page.xpath("//section[@aria-labelledby='cite']")[0]
    document = (await client.get("/openapi.json")).json()
    parameters = document["paths"]["/v1/cite"]["get"]["parameters"]
    formats = next(each["schema"]["enum"] for each in parameters if each["name"] == "format")
    assert set(formats) <= set(section.xpath(".//li//code/text()"))


@pytest.mark.anyio
async def test_citations_without_a_public_url_are_explained(
    client: httpx.AsyncClient, seed: SeedCopy, tmp_path: Path
) -> None:
    """Only without `PUBLIC_URL`, the guide says that the address of a citation is a path."""
    advice = "The address is only a path"
    assert advice in (await client.get("/docs")).text
    async with published_client(seed.write(), tmp_path / "archive.sqlite") as published:
        page = html.document_fromstring((await published.get("/docs")).text)
    assert advice not in page.text_content()
    assert f"{PUBLIC_URL}/v1/releases/" in page.get_element_by_id("citation").text_content()


@pytest.mark.anyio
async def test_links_of_a_page_are_those_of_the_api(client: httpx.AsyncClient) -> None:
    """The links shown are those of the example, up to where the cursor is cut; the last is null."""
    page = html.fromstring((await client.get("/docs")).content)
    shown = json.loads(page.find_class("part")[0].find(".//code").text_content())["links"]
    returned = (await client.get(shown["self"])).json()["links"]
    assert shown.keys() == returned.keys()
    start, _, cursor = shown["next"].partition("cursor=")
    assert returned["next"].startswith(f"{start}cursor=")
    assert cursor.endswith("…")
    assert (await client.get("/v1/activities")).json()["links"]["next"] is None


@pytest.mark.anyio
async def test_the_guide_lists_every_path_filter_and_problem(client: httpx.AsyncClient) -> None:
    """The guide contains each path of the OpenAPI document, each error type and the filters."""
    text = (await client.get("/docs")).text
    document = (await client.get("/openapi.json")).json()
    assert [path for path in document["paths"] if f"<code>{path}</code>" not in text] == []
    assert [slug for slug in PROBLEMS if f"/problems/{slug}" not in text] == []
    for parameter in ("trafficking_form", "resource_type", "investment_amount"):
        assert f"<code>{parameter}</code>" in text


@pytest.mark.anyio
async def test_the_guide_does_not_depend_on_the_host(client: httpx.AsyncClient) -> None:
    """The `Host` header changes nothing in the guide and does not appear in it."""
    first = await client.get("/docs", headers={"Host": "a.example"})
    second = await client.get("/docs", headers={"Host": "b.example"})
    assert first.content == second.content
    assert b".example" not in first.content


@pytest.mark.anyio
async def test_the_guide_uses_the_public_url(seed: SeedCopy, tmp_path: Path) -> None:
    """With `PUBLIC_URL` set, every example uses it."""
    async with published_client(seed.write(), tmp_path / "archive.sqlite") as client:
        page = (await client.get("/docs")).content
    for code in code_examples(page).values():
        assert PUBLIC_URL in code
        assert DEFAULT_BASE_URL not in code
    assert b"data-base" not in page


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("has_partnership", "path"), [(True, "/v1/partnerships/us-peru-cpc'"), (False, "/v1'")]
)
async def test_the_guide_of_an_empty_record(
    seed: SeedCopy, tmp_path: Path, has_partnership: bool, path: str
) -> None:
    """Without awards, or without any resource, the examples use what the record has."""
    seed.clear(*(["awards", "activities"] if has_partnership else []))
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        response = await client.get("/docs")
        assert response.status_code == 200
        examples = code_examples(response.content)
        assert path in examples["start", "bash"]
        field = html.document_fromstring(response.text).get_element_by_id("award.id")
        assert "Permanent lowercase id" in field.text_content()
        urls = re.findall(r"/v1[^\s'\"`]*", "".join(examples.values()))
        assert len(urls) > 10
        assert [url for url in urls if "None" in url or "undefined" in url] == []


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/problems", *(f"/problems/{slug}" for slug in PROBLEMS)])
async def test_problems_are_served_as_html_and_json(client: httpx.AsyncClient, path: str) -> None:
    """Browsers get HTML, API clients get JSON with the same text, each with its own ETag."""
    page = await client.get(path, headers={"Accept": BROWSER_ACCEPT})
    data = await client.get(path)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert data.headers["content-type"] == "application/json"
    assert page.headers["etag"] != data.headers["etag"]
    assert page.headers["vary"] == data.headers["vary"] == "Accept, Accept-Encoding"
    problems = data.json()["data"]
    text = " ".join(html.fromstring(page.content).text_content().split())
    for problem in problems if isinstance(problems, list) else [problems]:
        assert problem["title"] in text
        assert problem["explanation"].replace("`", "") in text


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/docs", "/problems", "/problems/gone"])
async def test_paths_in_texts_are_links(client: httpx.AsyncClient, path: str) -> None:
    """Paths that can be requested as they are lead there."""
    response = await client.get(path, headers={"Accept": BROWSER_ACCEPT})
    main = html.document_fromstring(response.text).get_element_by_id("content")
    links = set(main.xpath(".//a[code]/@href"))
    assert "/v1/releases" in links
    for link in links:
        assert not link.startswith("/") or (await client.get(link)).status_code == 200, link
    plain = main.xpath(".//dd/code/text() | .//p[not(@class='path')]/code/text()")
    assert "/v1/releases" not in plain


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accept", "media_type"),
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
async def test_html_is_served_only_when_preferred(
    client: httpx.AsyncClient, accept: str, media_type: str
) -> None:
    """JSON unless HTML has the higher quality, also when the other one is cached."""
    for cached_accept in (BROWSER_ACCEPT, "*/*"):
        await client.get("/problems/not-found", headers={"Accept": cached_accept})
        response = await client.get("/problems/not-found", headers={"Accept": accept})
        assert response.headers["content-type"].partition(";")[0] == media_type
        head = await client.head("/problems/not-found", headers={"Accept": accept})
        assert head.headers["etag"] == response.headers["etag"]


@pytest.mark.anyio
async def test_browsers_get_json_from_other_paths(client: httpx.AsyncClient) -> None:
    """Collections have no HTML form and stay JSON."""
    awards = await client.get("/v1/awards", headers={"Accept": BROWSER_ACCEPT})
    assert awards.headers["content-type"] == "application/json"


@pytest.mark.anyio
@pytest.mark.parametrize("page_path", ["/docs", "/problems", "/problems/not-found"])
async def test_pages_load_only_files_of_their_origin(
    client: httpx.AsyncClient, page_path: str
) -> None:
    """The Content-Security-Policy is strict, and pages have no inline scripts or styles."""
    response = await client.get(page_path, headers={"Accept": BROWSER_ACCEPT})
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = html.fromstring(response.content)
    assert page.xpath("//script[not(@src)] | //style | //@style") == []
    for path in page.xpath("//script/@src | //link/@href | //img/@src"):
        assert path.startswith("/")
        assert (await client.get(path)).status_code == 200


@pytest.mark.anyio
async def test_an_unknown_asset_is_not_found(client: httpx.AsyncClient) -> None:
    """An unknown file below `/docs/` is a 404 that lists the known ones."""
    problem = assert_problem(await client.get("/docs/nope.js"), 404)
    assert "docs.js" in problem["detail"]
