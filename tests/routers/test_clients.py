"""Clients generated from the OpenAPI document compile strictly and read the live server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from operator import itemgetter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, needs

CLIENTS = ROOT / "tests" / "clients"
ENVIRONMENT = ROOT / ".venv" / "clients"
MODULES = CLIENTS / "node_modules"
CASES = ["typescript", "python"]

Json = dict[str, Any]


def run(*command: object, cwd: Path, path: Path | None = None) -> str:
    """What a command printed on either stream; a non-zero exit fails the test with it."""
    search = os.environ["PATH"] if path is None else f"{path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PATH": search},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


def is_current(stamp: Path, lock: Path) -> bool:
    """Whether a stamp was made after its lock was last changed."""
    return stamp.exists() and stamp.stat().st_mtime >= lock.stat().st_mtime


@pytest.fixture(scope="session")
def document(server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The OpenAPI document that the live server gives."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_bytes(httpx.get(f"{server}/openapi.json").raise_for_status().content)
    return path


@pytest.fixture(scope="session")
def node_tools() -> Path:
    """Folder of the locked TypeScript tools, installed where they are absent or outdated."""
    npm = needs("npm", "TypeScript clients are generated with it")
    stamp, lock = MODULES / ".installed", CLIENTS / "package-lock.json"
    if not is_current(stamp, lock):
        run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=CLIENTS)
        stamp.touch()
    return MODULES / ".bin"


@pytest.fixture(scope="session")
def python_tools() -> Path:
    """Folder of the locked Python tools, installed where they are absent or outdated."""
    tools = ENVIRONMENT / "bin"
    stamp, lock = ENVIRONMENT / ".installed", CLIENTS / "requirements.txt"
    if not is_current(stamp, lock):
        run(sys.executable, "-m", "venv", "--clear", ENVIRONMENT, cwd=ROOT)
        install = (tools / "python", "-m", "pip", "install", "--quiet", "--require-hashes")
        run(*install, "-r", lock, cwd=ROOT)
        stamp.touch()
    return tools


@pytest.fixture(scope="session")
def typescript_client(
    document: Path, node_tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder of a generated TypeScript client, with the program that uses it."""
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("package.json", "tsconfig.json", "read_all.ts"):
        shutil.copy(CLIENTS / name, folder)
    (folder / "node_modules").symlink_to(MODULES)
    said = run(node_tools / "openapi-typescript", document, "-o", "schema.d.ts", cwd=folder)
    (folder / "said.txt").write_text(said, "utf-8")
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
    said = run(*generate, "--path", document, *target, cwd=folder, path=python_tools)
    (folder / "said.txt").write_text(said, "utf-8")
    return folder


@pytest.fixture(scope="session")
def typescript(typescript_client: Path, node_tools: Path, server: str) -> Json:
    """What the TypeScript program read."""
    node = needs("node", "TypeScript clients run on it")
    run(node_tools / "tsc", cwd=typescript_client)
    summary: Json = json.loads(run(node, "read_all.js", server, cwd=typescript_client))
    return summary


@pytest.fixture(scope="session")
def python(python_client: Path, python_tools: Path, server: str) -> Json:
    """What the Python program read."""
    read = run(python_tools / "python", "-W", "error", "read_all.py", server, cwd=python_client)
    summary: Json = json.loads(read)
    return summary


@pytest.fixture(params=CASES)
def summary(request: pytest.FixtureRequest) -> Json:
    """What a program read through its generated client."""
    read: Json = request.getfixturevalue(request.param)
    return read


@pytest.mark.parametrize("language", CASES)
def test_generators_have_nothing_to_complain_about(
    request: pytest.FixtureRequest, language: str
) -> None:
    """Both generators take the document without a warning."""
    folder: Path = request.getfixturevalue(f"{language}_client")
    said = (folder / "said.txt").read_text("utf-8")
    assert "\N{WARNING SIGN}" not in said
    assert "warning" not in said.lower()


def test_typescript_client_compiles_strictly(typescript_client: Path, node_tools: Path) -> None:
    """The client, and a program that reads every collection it offers, pass `tsc --strict`."""
    options = json.loads((CLIENTS / "tsconfig.json").read_text("utf-8"))["compilerOptions"]
    assert options["strict"]
    assert options["noUncheckedIndexedAccess"]
    assert options["exactOptionalPropertyTypes"]
    assert run(node_tools / "tsc", "--noEmit", cwd=typescript_client) == ""


def test_python_client_passes_strict_mypy(python_client: Path, python_tools: Path) -> None:
    """The client, and a program that reads every collection, pass `mypy --strict`."""
    checked = ("record_client", "read_all.py")
    assert "Success" in run(python_tools / "mypy", "--strict", *checked, cwd=python_client)


def test_python_client_offers_what_was_read(python: Json) -> None:
    """No collection that the client offers goes unread."""
    assert python["offered"] == sorted(python["collections"])


def test_clients_read_everything(summary: Json, server: str) -> None:
    """Followed page by page, the collections give the whole record, value for value."""
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
    """The index and the meta page come through typed and whole."""
    assert summary[name] == httpx.get(f"{server}{path}").json()


def test_clients_repeat_a_parameter(summary: Json, server: str) -> None:
    """A list-valued filter goes out as a repeated key, whatever the language."""
    path = "/v1/awards?region=cusco&region=loreto&sort=-title"
    page = httpx.get(f"{server}{path}").json()
    assert summary["in_cusco_or_loreto"]["data"] == page["data"]
    assert summary["in_cusco_or_loreto"]["meta"] == page["meta"]


def test_clients_search(summary: Json, server: str) -> None:
    """Hits of every type come through typed, with their snippets."""
    hits = httpx.get(f"{server}/v1/search?q=cusco").json()
    assert hits["data"]
    assert summary["search"]["data"] == hits["data"]


def test_clients_tell_not_stated_from_none(summary: Json, server: str) -> None:
    """A value that the source does not give is typed as `null` and found in `not_stated`."""
    awards = httpx.get(f"{server}/v1/record").json()["data"]["awards"]
    assert sorted(summary["of_unknown_amount"]) == sorted(
        one["id"] for one in awards if "amount" in one["not_stated"]
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [("not_found", "/v1/awards/nobody"), ("invalid", "/v1/awards?limit=0")],
)
def test_clients_read_errors(summary: Json, server: str, name: str, path: str) -> None:
    """404 and 422 reach the caller as typed problem documents."""
    assert summary[name] == httpx.get(f"{server}{path}").json()


def test_typescript_client_knows_the_parameters(typescript: Json) -> None:
    """A misspelt parameter does not compile, and the server names the one that was meant."""
    assert [error["did_you_mean"] for error in typescript["misspelt"]["errors"]] == ["region"]
