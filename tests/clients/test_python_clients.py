"""Clients and models in Python pass strict checks and read a running server."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.clients import responses
from tests.clients.conftest import CLIENTS, page_code, run, search_path
from tests.clients.responses import OTHERS, READ, SELECTION, Json
from tests.support.environments import locked_version
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

pytestmark = [pytest.mark.node, pytest.mark.process]


@pytest.fixture(scope="module")
def commands(server: str) -> list[list[str]]:
    """Each console block of the page's section on Python: install, then generate."""
    return [block.splitlines() for block in page_code(server)["Python", "console"]]


@pytest.fixture(scope="module")
def folder(
    commands: list[list[str]],
    python_tools: Path,
    server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Folder with what the page's commands generate, and the programs that use it."""
    folder = tmp_path_factory.mktemp("python")
    for program in (CLIENTS / "programs").glob("*.py"):
        shutil.copy(program, folder)
    shutil.copy(CLIENTS / "mypy.ini", folder)
    (folder / "example.py").write_text(page_code(server)["Python", "python"][0], "utf-8")
    said = [
        run("bash", "-euc", "\n".join(generate), cwd=folder, PATH=search_path(python_tools))
        for _, *generate in commands
    ]
    (folder / "generators.log").write_text("\n".join(said), "utf-8")
    return folder


def execute(folder: Path, tools: Path, program: str, *arguments: str) -> str:
    """Run one of the programs, in which warnings are errors."""
    return run(tools / "python", "-W", "error", program, *arguments, cwd=folder)


@pytest.fixture(scope="module")
def client(folder: Path, python_tools: Path, server: str) -> Json:
    """What the client of openapi-python-client read."""
    summary: Json = json.loads(execute(folder, python_tools, "read_all.py", server))
    return summary


def test_generators_report_no_warnings(folder: Path) -> None:
    """Both generators process the document without warnings."""
    assert "warning" not in (folder / "generators.log").read_text("utf-8").lower()


def test_versions_are_those_of_the_page(commands: list[list[str]]) -> None:
    """The page installs the versions that the tests run."""
    for install, *_ in commands:
        found = re.fullmatch(r"pip install ([a-z0-9-]+)==([\d.]+)", install)
        assert found is not None, install
        assert found[2] == locked_version(CLIENTS, found[1])


def test_clients_pass_strict_mypy(folder: Path, python_tools: Path) -> None:
    """Client, models and the programs that use them pass `mypy --strict`."""
    sources = ("record_client", "read_all.py", "example.py", "models.py", "read_models.py")
    assert "Success" in run(python_tools / "mypy", "--strict", *sources, cwd=folder)


def test_example_of_the_page_runs(folder: Path, python_tools: Path, server: str) -> None:
    """The example prints the awards."""
    awards = fetch(f"{server}/v1/awards?region=cusco&region=loreto").json()["data"]
    printed = execute(folder, python_tools, "example.py").splitlines()
    assert printed == [f"{award['title']} {award['announced']}" for award in awards]


def test_client_reads_everything(client: Json, server: str) -> None:
    """Paging through all collections returns the whole record, value for value."""
    assert client["available"] == sorted(client["collections"])
    responses.check_collections(client, server)


@pytest.mark.parametrize(("name", "path"), OTHERS.items())
def test_client_reads_other_responses(client: Json, server: str, name: str, path: str) -> None:
    """The entry points and problems are typed and complete."""
    assert client[name] == fetch(f"{server}{path}").json()


def test_client_reads_selections(client: Json, server: str) -> None:
    """Array filters are sent as repeated keys; `include`, searches and `not_stated` are typed."""
    responses.check_selections(client, server)
    page = fetch(f"{server}{SELECTION}").json()
    included = {name: items for name, items in page["included"].items() if items}
    assert client["in_cusco_or_loreto"]["included"] == included
    version = locked_version(CLIENTS, "openapi-python-client")
    outcome = (
        f"{READ.format('404 and 422')}; passes `mypy --strict` but for one line of its runtime"
    )
    done = "client generated, type-checked and run"
    check_outcome("generators", "openapi-python-client", version, done, outcome)


def test_models_validate_responses(folder: Path, python_tools: Path, server: str) -> None:
    """Models of datamodel-code-generator have the names of the API, and strings are strings."""
    read = json.loads(execute(folder, python_tools, "read_models.py", server))
    award = fetch(f"{server}/v1/awards/peru-ilo").json()["data"]
    record = fetch(f"{server}/v1/record").json()["data"]
    assert read == responses.summary(server) | {
        "regions": award["regions"],
        "announced": award["announced"],
        "captured": [source["captured"] for source in record["sources"]],
        "citations": len(record["citations"]),
    }
    version = locked_version(CLIENTS, "datamodel-code-generator")
    outcome = "names as in the API, ids and dates are strings; passes `mypy --strict`"
    done = "pydantic models generated, type-checked, validated responses"
    check_outcome("generators", "datamodel-code-generator", version, done, outcome)


def test_aiopenapi3_reads_a_server(folder: Path, python_tools: Path, server: str) -> None:
    """aiopenapi3 loads `/openapi.json`, reads the record, and rejects an invalid value itself."""
    read = json.loads(run(python_tools / "python", "read_aiopenapi3.py", server, cwd=folder))
    citations = fetch(f"{server}/v1/record").json()["data"]["citations"]
    assert read == responses.summary(server) | {
        "invalid": "Input should be greater than or equal to 1",
        "citations": len(citations),
    }
    version = locked_version(CLIENTS, "aiopenapi3")
    outcome = f"{READ.format('404')}; an invalid value was rejected before it was sent"
    check_outcome("generators", "aiopenapi3", version, "document loaded, client run", outcome)


def test_openapi_core_validates(folder: Path, python_tools: Path, server: str) -> None:
    """openapi-core accepts requests and responses; for problems it needs a deserializer."""
    next_page = fetch(f"{server}/v1/activities?limit=5").json()["links"]["next"]
    bodies = (SELECTION, "/v1/awards/peru-ilo", "/v1/activities?limit=5", next_page)
    problems = ("/v1/awards/nobody", "/v1/awards?limit=0")
    output = run(
        *(python_tools / "python", "read_openapi_core.py", server, *bodies, *problems), cwd=folder
    )
    read = json.loads(output)
    for path in (*bodies, *problems):  # it adds the defaults of absent members
        assert fetch(f"{server}{path}").json().items() <= read["bodies"][path].items()
    assert read["unread"] == [404, 422]
    assert read["queries"][SELECTION]["region"] == ["cusco", "loreto"]
    assert "/v1/awards?limit=0" not in read["queries"]
    version = locked_version(CLIENTS, "openapi-core")
    outcome = (
        "requests typed, with repeated keys; responses valid, problems with a deserializer for "
        "`application/problem+json`"
    )
    done = "requests and responses validated"
    check_outcome("generators", "openapi-core", version, done, outcome)
