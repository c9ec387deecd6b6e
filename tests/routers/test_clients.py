"""Clients generated from the OpenAPI document pass strict checks and read a running server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from operator import itemgetter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, needs
from tests.support.environments import install_environment
from tests.support.npm import install_packages

CLIENTS = ROOT / "tests" / "clients"
NODE_MODULES = CLIENTS / "node_modules"
LANGUAGES = ["typescript", "python"]

Json = dict[str, Any]

pytestmark = [pytest.mark.node, pytest.mark.process]


def run(*command: object, cwd: Path, path: Path | None = None) -> str:
    """Run a command and return its stdout and stderr. Fails the test on a non-zero exit code."""
    search_path = os.environ["PATH"] if path is None else f"{path}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": search_path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}"
    return result.stdout


@pytest.fixture(scope="session")
def document(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document of the running server."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_bytes(httpx.get(f"{server}/openapi.json").raise_for_status().content)
    return path


@pytest.fixture(scope="session")
def node_tools() -> Path:
    """Folder of the locked TypeScript tools."""
    return install_packages(CLIENTS, "TypeScript clients are generated with it") / ".bin"


@pytest.fixture(scope="session")
def python_tools() -> Path:
    """Folder of the locked Python tools."""
    return install_environment(CLIENTS)


@pytest.fixture(scope="session")
def typescript_client(
    document: Path, node_tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder of a generated TypeScript client, with the program that uses it."""
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("package.json", "tsconfig.json", "read_all.ts"):
        shutil.copy(CLIENTS / name, folder)
    (folder / "node_modules").symlink_to(NODE_MODULES)
    output = run(node_tools / "openapi-typescript", document, "-o", "schema.d.ts", cwd=folder)
    (folder / "generator.log").write_text(output, "utf-8")
    return folder


@pytest.fixture(scope="session")
def python_client(
    document: Path, python_tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder of a generated Python client, with the program that uses it."""
    folder = tmp_path_factory.mktemp("python")
    for name in ("mypy.ini", "read_all.py"):
        shutil.copy(CLIENTS / name, folder)
    generate = (python_tools / "openapi-python-client", "generate", "--fail-on-warning")
    target = ("--meta", "none", "--output-path", folder / "record_client")
    source = ("--path", document, "--config", CLIENTS / "generator.yaml")
    output = run(*generate, *source, *target, cwd=folder, path=python_tools)
    (folder / "generator.log").write_text(output, "utf-8")
    return folder


@pytest.fixture(scope="session")
def typescript(typescript_client: Path, node_tools: Path, server: str) -> Json:
    """What the TypeScript program read from the server."""
    node = needs("node", "TypeScript clients run on it")
    run(node_tools / "tsc", cwd=typescript_client)
    summary: Json = json.loads(run(node, "read_all.js", server, cwd=typescript_client))
    return summary


@pytest.fixture(scope="session")
def python(python_client: Path, python_tools: Path, server: str) -> Json:
    """What the Python program read from the server."""
    output = run(python_tools / "python", "-W", "error", "read_all.py", server, cwd=python_client)
    summary: Json = json.loads(output)
    return summary


@pytest.fixture(params=LANGUAGES)
def summary(request: pytest.FixtureRequest) -> Json:
    """What a program read through its generated client."""
    result: Json = request.getfixturevalue(request.param)
    return result


@pytest.mark.parametrize("language", LANGUAGES)
def test_generators_report_no_warnings(request: pytest.FixtureRequest, language: str) -> None:
    """Both generators process the document without warnings."""
    folder: Path = request.getfixturevalue(f"{language}_client")
    log = (folder / "generator.log").read_text("utf-8")
    assert "\N{WARNING SIGN}" not in log
    assert "warning" not in log.lower()


def test_typescript_client_compiles_strictly(typescript_client: Path, node_tools: Path) -> None:
    """The client, and a program that reads every collection, pass `tsc --strict`."""
    options = json.loads((CLIENTS / "tsconfig.json").read_text("utf-8"))["compilerOptions"]
    assert options["strict"]
    assert options["noUncheckedIndexedAccess"]
    assert options["exactOptionalPropertyTypes"]
    assert run(node_tools / "tsc", "--noEmit", cwd=typescript_client) == ""


def test_python_client_passes_strict_mypy(python_client: Path, python_tools: Path) -> None:
    """The client, and a program that reads every collection, pass `mypy --strict`."""
    sources = ("record_client", "read_all.py")
    assert "Success" in run(python_tools / "mypy", "--strict", *sources, cwd=python_client)


def test_python_program_reads_every_collection(python: Json) -> None:
    """The program reads every collection that the generated client has."""
    assert python["available"] == sorted(python["collections"])


def test_clients_read_everything(summary: Json, server: str) -> None:
    """Paging through all collections returns the whole record, value for value."""
    record = httpx.get(f"{server}/v1/record").json()
    assert summary["record"] == record
    assert set(summary["collections"]) == set(record["data"])
    for name, read in summary["collections"].items():
        assert sorted(read["items"], key=itemgetter("id")) == sorted(
            record["data"][name], key=itemgetter("id")
        )
        assert read["item"] == read["items"][0]


@pytest.mark.parametrize(("name", "path"), [("index", "/v1"), ("meta", "/v1/meta")])
def test_clients_read_the_entry_points(summary: Json, server: str, name: str, path: str) -> None:
    """The index and `/v1/meta` are typed and complete."""
    assert summary[name] == httpx.get(f"{server}{path}").json()


def test_clients_repeat_a_parameter(summary: Json, server: str) -> None:
    """Both clients send an array filter as a repeated key."""
    path = "/v1/awards?region=cusco&region=loreto&sort=-title"
    page = httpx.get(f"{server}{path}").json()
    assert summary["in_cusco_or_loreto"]["data"] == page["data"]
    assert summary["in_cusco_or_loreto"]["meta"] == page["meta"]


def test_clients_search(summary: Json, server: str) -> None:
    """Search results are typed, with their snippets."""
    hits = httpx.get(f"{server}/v1/search?q=cusco").json()
    assert hits["data"]
    assert summary["search"]["data"] == hits["data"]


def test_clients_distinguish_not_stated_values(summary: Json, server: str) -> None:
    """A value missing from the source is `null` and listed in `not_stated`."""
    awards = httpx.get(f"{server}/v1/record").json()["data"]["awards"]
    assert sorted(summary["amount_not_stated"]) == sorted(
        award["id"] for award in awards if "amount" in award["not_stated"]
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [("not_found", "/v1/awards/nobody"), ("invalid", "/v1/awards?limit=0")],
)
def test_clients_read_errors(summary: Json, server: str, name: str, path: str) -> None:
    """404 and 422 are typed problem documents."""
    assert summary[name] == httpx.get(f"{server}{path}").json()


def test_typescript_client_checks_parameter_names(typescript: Json) -> None:
    """A misspelled parameter does not compile, and the server suggests the right one."""
    assert [error["did_you_mean"] for error in typescript["misspelled"]["errors"]] == ["region"]
