"""Clients in TypeScript, generated from `/openapi-clients.json`, compile and read a server."""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from tests.clients import responses
from tests.clients.conftest import CLIENTS, end, page_code, run, search_path
from tests.clients.responses import OTHERS, READ, SELECTION, Json
from tests.conftest import needs
from tests.support.npm import package_versions
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

pytestmark = [pytest.mark.node, pytest.mark.process]

DOCUMENT = "openapi-clients.json"
COPIED = ("orval.config.mjs", "package.json", "programs", "tsconfig.json")
GENERATORS = (
    ("oazapfts", DOCUMENT, "generated/oazapfts.ts"),
    ("openapi-typescript", DOCUMENT, "-o", "generated/openapi-typescript.ts"),
    ("orval", "--config", "orval.config.mjs"),
    (
        *("swagger-typescript-api", "generate", "--path", DOCUMENT),
        *("--output", "generated/swagger-typescript-api"),
    ),
)
"""Commands of the generators; that of @hey-api/openapi-ts is on the page."""
PROGRAMS = ("hey-api", "oazapfts", "orval-axios", "orval-fetch", "swagger-typescript-api")
"""What programs/main.ts reads through; programs/read_all.ts has openapi-fetch."""
PLACES = {
    "client": "@hey-api/openapi-ts",
    "generated/oazapfts": "oazapfts",
    "generated/openapi-typescript": "openapi-typescript",
    "generated/orval-axios": "orval, axios",
    "generated/orval-fetch": "orval, fetch",
    "generated/swagger-typescript-api": "swagger-typescript-api",
}
"""Where the code of each generator is, with its name in the table."""
EXACT_TYPES = "with 'exactOptionalPropertyTypes: true'"
DONE = "client generated, compiled and run"


@pytest.fixture(scope="module")
def folder(
    documents: Path, node_tools: Path, server: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder with every generated client, the programs that use them, and what the tools said."""
    folder = tmp_path_factory.mktemp("typescript")
    for name in COPIED:
        copy = shutil.copytree if (CLIENTS / name).is_dir() else shutil.copy
        copy(CLIENTS / name, folder / name)
    shutil.copy(documents / DOCUMENT, folder)
    (folder / "generated").mkdir()
    (folder / "node_modules").symlink_to(node_tools.parent)
    code = page_code(server)
    (folder / "example.ts").write_text(code["TypeScript", "ts"][0], "utf-8")
    _, command = code["TypeScript", "console"][0].splitlines()
    generators = [("bash", "-euc", command), *GENERATORS]
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(partial(_generate, folder, node_tools), generators)
    (folder / "generators.log").write_text("\n".join(said), "utf-8")
    return folder


def _generate(folder: Path, tools: Path, command: Sequence[str]) -> str:
    return run(*command, cwd=folder, PATH=search_path(tools))


@pytest.fixture(scope="module")
def errors(folder: Path, node_tools: Path) -> dict[str, list[str]]:
    """Errors of the compiler by the place that they are in; it writes the programs nevertheless."""
    output = end(node_tools / "tsc", "--pretty", "false", cwd=folder).stdout
    by_place: dict[str, list[str]] = defaultdict(list)
    for error in re.split(r"\n(?=\S)", output.strip()) if output.strip() else []:
        by_place[next((place for place in PLACES if error.startswith(place)), "")].append(error)
    return by_place


@pytest.fixture(scope="module")
def read(folder: Path, errors: dict[str, list[str]], server: str) -> dict[str, Json]:
    """What each program read through its client, by tool."""
    node = needs("node", "TypeScript clients run on it")
    assert "" not in errors, errors[""]
    summaries: dict[str, Json] = json.loads(run(node, "programs/main.js", server, cwd=folder))
    summaries["openapi-fetch"] = json.loads(run(node, "programs/read_all.js", server, cwd=folder))
    return summaries


@pytest.fixture(scope="module")
def everything(read: dict[str, Json]) -> Json:
    """What the program of openapi-fetch read, which is everything."""
    return read["openapi-fetch"]


def test_generators_report_no_warnings(folder: Path) -> None:
    """Every generator processes the document without warnings."""
    log = (folder / "generators.log").read_text("utf-8")
    assert "\N{WARNING SIGN}" not in log
    assert "warning" not in log.lower()


def test_clients_compile_strictly(errors: dict[str, list[str]]) -> None:
    """All clients pass `strict`; only the runtime of one fails under exactOptionalPropertyTypes."""
    options = json.loads((CLIENTS / "tsconfig.json").read_text("utf-8"))["compilerOptions"]
    assert options["strict"]
    assert options["exactOptionalPropertyTypes"]
    unexpected = [each for place in errors.values() for each in place if EXACT_TYPES not in each]
    assert unexpected == []
    assert set(errors) == {"client"}


def test_versions_are_those_of_the_page(server: str) -> None:
    """The page installs the versions that the tests run."""
    install, _ = page_code(server)["TypeScript", "console"][0].splitlines()
    packages = dict(re.findall(r"(\S+)@([\d.]+)", install))
    assert packages == {name: package_versions(CLIENTS)[name] for name in packages}
    assert len(packages) == 2


def test_example_of_the_page_runs(folder: Path, read: dict[str, Json], server: str) -> None:
    """The example prints the awards."""
    assert read
    node = needs("node", "TypeScript clients run on it")
    awards = fetch(f"{server}/v1/awards?region=cusco&region=loreto").json()["data"]
    printed = run(node, "example.js", cwd=folder).splitlines()
    assert printed == [f"{award['title']} {award['announced']}" for award in awards]


@pytest.mark.parametrize("name", PROGRAMS)
def test_clients_read_a_server(read: dict[str, Json], server: str, name: str) -> None:
    """Each client reads a list with repeated keys, an item, all pages, and both problems."""
    assert read[name] == responses.summary(server)


def test_a_client_reads_everything(everything: Json, server: str) -> None:
    """Paging through all collections with openapi-fetch returns the whole record."""
    responses.check_collections(everything, server)


@pytest.mark.parametrize(("name", "path"), OTHERS.items())
def test_a_client_reads_other_responses(
    everything: Json, server: str, name: str, path: str
) -> None:
    """The entry points and problems are typed and complete."""
    assert everything[name] == fetch(f"{server}{path}").json()


def test_a_client_reads_selections(everything: Json, server: str) -> None:
    """Array filters are sent as repeated keys; `include`, searches and `not_stated` are typed."""
    responses.check_selections(everything, server)
    page = fetch(f"{server}{SELECTION}").json()
    assert everything["in_cusco_or_loreto"]["included"] == page["included"]


def test_parameter_names_are_checked(everything: Json) -> None:
    """A misspelled parameter does not compile, and the server suggests the right one."""
    assert everything["misspelled"]["errors"][0]["did_you_mean"] == "region"


@pytest.mark.parametrize(("place", "tool"), PLACES.items())
def test_outcomes_are_on_the_page(
    read: dict[str, Json], errors: dict[str, list[str]], place: str, tool: str
) -> None:
    """What the clients did is in the table of docs/tools.md."""
    assert read
    versions = package_versions(CLIENTS)
    name = tool.partition(",")[0]
    version = versions[name]
    if name == "openapi-typescript":
        tool = f"{name} with openapi-fetch"
        version += f" with {versions['openapi-fetch']}"
    exact = "not " if place in errors else ""
    outcome = f"{READ.format('404 and 422')}; passes `strict`, {exact}`exactOptionalPropertyTypes`"
    check_outcome("generators", tool, version, DONE, outcome)
