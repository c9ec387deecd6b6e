"""FAIR Signposting as the package `signposting` reads it, from the API and from a mirror."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.environments import install_environment, locked_version
from tests.support.mirrors import serve_with_nginx
from tests.support.programs import run
from tests.support.published import PUBLIC_URL
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

AGENTS = ROOT / "tests" / "agents"
ITEM = "/v1/awards/peru-ilo"

Json = dict[str, Any]

pytestmark = pytest.mark.process


@pytest.fixture(
    scope="module", params=["API", pytest.param("mirror", marks=pytest.mark.web_server)]
)
def origin(
    request: pytest.FixtureRequest, server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of the API, and of nginx with its mirror."""
    if request.param == "API":
        yield server
        return
    mirror: Path = request.getfixturevalue("mirror")
    with serve_with_nginx(mirror, tmp_path_factory.mktemp("signposts") / "nginx") as address:
        yield address


def read_signposts(*addresses: str) -> Json:
    """What the package finds at each address. It warns of links that it ignores: an error here."""
    python = install_environment(AGENTS) / "python"
    found: Json = json.loads(run(python, "-W", "error", AGENTS / "read_signposts.py", *addresses))
    return found


def test_a_crawler_finds_metadata_license_and_content(origin: str) -> None:
    """From the record page to its descriptions and downloads, from these and items back."""
    exports = [export["path"] for export in fetch(f"{origin}/v1/exports").json()["data"]]
    license_url = fetch(f"{origin}/v1/meta").json()["data"]["license"]["url"]
    label = fetch(f"{origin}/v1/meta").json()["data"]["release_label"]
    found = read_signposts(f"{origin}/")[f"{origin}/"]
    assert found["cite-as"] == f"{PUBLIC_URL}/v1/releases/{label}"
    assert found["license"] == license_url
    assert found["type"] == ["https://schema.org/AboutPage", "https://schema.org/Dataset"]
    dataset = f"{origin}/dataset.jsonld"
    assert found["describedby"][dataset] == "application/ld+json"
    assert fetch(dataset).json()["@type"] == "Dataset"
    items = found["item"]
    assert {item.removeprefix(origin) for item in items} <= {*exports}
    assert items[f"{origin}/v1/exports/record.sqlite"] == "application/vnd.sqlite3"

    further = read_signposts(*items, f"{origin}{ITEM}", dataset)
    assert further.pop(dataset)["describes"] == {f"{origin}/": "text/html"}
    assert further.pop(f"{origin}{ITEM}")["collection"] == f"{origin}/v1/awards"
    for address, item in further.items():
        assert item["collection"] == f"{origin}/", address
        assert item["license"] == license_url
        assert item["cite-as"] == found["cite-as"]
        assert set(item["describedby"]) == {dataset}
    check_outcome(
        "archives",
        "signposting",
        locked_version(AGENTS, "signposting"),
        "follow the links of `/`, of the API and of a mirror in nginx",
        "cite-as, license, type, descriptions and exports; from each export back",
    )
