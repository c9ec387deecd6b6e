"""Records of other pages: made of drafts by the tools alone, then served, frozen and exported."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.support.command_line import invoke_cli
from tests.support.published import ENVIRONMENT, published_client
from tests.support.records import FIJI, MONGOLIA, PERU_AND_MONGOLIA, OtherRecord
from tests.test_odd_records import fetch_all

pytestmark = pytest.mark.anyio
_QUICK_STEP, _SLOW_STEP = 25, 8
"""Of how many addresses one is requested."""

RECORDS = {"Fiji": FIJI, "Mongolia": MONGOLIA, "Peru and Mongolia": PERU_AND_MONGOLIA}


@dataclass(frozen=True)
class Made:
    """A record that the tools have made.

    Attributes:
        record: Its draft and its pages.
        seed: Its seed.
        archive: Its archive.
    """

    record: OtherRecord
    seed: Path
    archive: Path

    @property
    def files(self) -> tuple[str, ...]:
        """The options of commands for its files."""
        return "--seed", str(self.seed), "--archive", str(self.archive)


@pytest.fixture(scope="module", params=RECORDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A record made of its draft: `cite` gives it all positions, and `build` accepts it."""
    record = RECORDS[request.param]
    copies = record.copies()
    folder = tmp_path_factory.mktemp("record")
    seed = record.write_draft(folder)
    assert '"start":' not in seed.read_text("utf-8")
    run("cite", "--seed", str(seed), *copies)
    made = Made(record, seed, folder / "archive.sqlite")
    run("build", *made.files, **ENVIRONMENT)
    return made


def run(*arguments: str, **environment: str) -> str:
    """Run a command that must succeed; return what it prints."""
    result = invoke_cli(*arguments, **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_record_is_verified_against_its_pages(made: Made) -> None:
    """Every quote is at its position, and every sentence is cited."""
    copies = made.record.copies()
    output = run("verify", *made.files, *copies, COLUMNS="200")
    assert output.count("100%") == len(copies)
    assert run("coverage", "--seed", str(made.seed), *copies).count("100%") == len(copies)


async def test_the_record_is_served(made: Made) -> None:
    """Every kind of address gives 200, 304 or a declared problem."""
    async with published_client(made.seed, made.archive) as client:
        await check_content(client, made.record)
        statuses = await fetch_all(client, 0, _QUICK_STEP)
        assert set(statuses) <= {200, 304, 404}
        assert statuses[200] > 30


@pytest.mark.slow
async def test_many_addresses_of_the_record_are_served(made: Made) -> None:
    """Each gives 200, 304 or a declared problem."""
    async with published_client(made.seed, made.archive) as client:
        statuses = await fetch_all(client, 1, _SLOW_STEP)
    assert set(statuses) <= {200, 304, 404}
    assert statuses[200] > 90


@pytest.mark.slow
def test_the_record_is_frozen(made: Made, tmp_path: Path) -> None:
    """A static mirror of it, with all exports, matches the API."""
    mirror = tmp_path / "mirror"
    run("freeze", str(mirror), *made.files, **ENVIRONMENT)
    run("verify", "--mirror", str(mirror), *made.files, **ENVIRONMENT)
    lines = (mirror / "manifest.ndjson").read_text("utf-8").splitlines()
    urls = {json.loads(line)["url"] for line in lines}
    assert {"/", "/v1/exports/iati.xml", "/data.json", "/data-3.0.json"} <= urls


async def check_content(client: httpx.AsyncClient, record: OtherRecord) -> None:
    """The page, IATI and DCAT name the partnerships of this record, and no others."""
    partnerships = (await client.get("/v1/partnerships")).json()["data"]
    names = {partnership["name"] for partnership in partnerships}
    assert len(names) == len(record.pages)
    page = (await client.get("/", headers={"Accept": "text/html"})).text
    assert all(name in page for name in names)
    for objective in (await client.get("/v1/objectives")).json()["data"]:
        assert objective["summary"] in page
    links = set(re.findall(r'href="#([^":]+)"', page))
    assert links <= set(re.findall(r'id="([^"]+)"', page))
    assert ("Peru" in page) == ("us-peru-cpc-page" in record.pages)
    activities = ET.fromstring((await client.get("/v1/exports/iati.xml")).content)  # noqa: S314
    identifiers = {element.text or "" for element in activities.iter("iati-identifier")}
    for partnership in partnerships:
        assert any(identifier.endswith(partnership["id"]) for identifier in identifiers)
    title = (await client.get("/v1/meta")).json()["data"]["title"]
    for path in ("/data.json", "/data-3.0.json"):
        assert (await client.get(path)).json()["dataset"][0]["title"] == title
