"""The command line: what a person and a script can rely on."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from app.settings import ConfigurationError, read_settings
from tests.conftest import ROOT, SEED, SeedCopy, Start, free_port, run_cli

RUN = Path(sys.executable).parent
AWARD = "/v1/awards/peru-ilo"


def assert_readable(said: subprocess.CompletedProcess[str]) -> None:
    """Whatever went wrong is told in words, not by a traceback."""
    assert said.stderr.strip()
    assert "Traceback" not in said.stdout + said.stderr


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_a_newcomer_finds_the_commands(arguments: list[str]) -> None:
    """Help names every command, what it does, and the exit codes."""
    said = run_cli(*arguments)
    shown = said.stdout + said.stderr
    assert said.returncode == (0 if arguments else 2)
    for told in ("serve", "build", "verify", "schema", "Exit codes", "environment"):
        assert told in shown


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", ["--host", "--port", "--workers", "--seed", "--archive"]),
        ("verify", ["--source", "--seed", "--archive"]),
    ],
)
def test_a_newcomer_finds_the_options(command: str, options: list[str]) -> None:
    """Help on a command names its options."""
    said = run_cli(command, "--help", COLUMNS="100")
    assert said.returncode == 0
    assert all(option in said.stdout for option in options)


@pytest.mark.parametrize(
    "arguments", [["nope"], ["build", "--nope"], ["serve", "--port", "abc"], ["build", "more"]]
)
def test_wrong_usage_is_told(arguments: list[str]) -> None:
    """A command or option that there is not gives code 2 and a pointer to the help."""
    said = run_cli(*arguments)
    assert said.returncode == 2
    assert_readable(said)
    assert "--help" in said.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("PORT", "80.5"),
        ("WORKERS", "0"),
        ("WORKERS", "many"),
        ("LOG_LEVEL", "loud"),
        ("ACCESS_LOG", "perhaps"),
        ("MAX_AGE", "-1"),
        ("CACHE_BYTES", "1e6"),
    ],
)
def test_a_bad_setting_is_told(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A variable that cannot be used gives a sentence that names it and what it is."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{name} is '{re.escape(value)}': .*\.$"):
        read_settings()


@pytest.mark.parametrize("command", ["serve", "build"])
def test_bad_settings_stop_every_command(command: str) -> None:
    """Code 2 and a sentence on each: nobody mends one setting only to hear of the next."""
    said = run_cli(command, PORT="abc", WORKERS="0", LOG_LEVEL="loud")
    assert said.returncode == 2
    assert_readable(said)
    assert said.stderr.startswith("PORT is 'abc': ")
    assert "WORKERS is '0'" in said.stderr
    assert "LOG_LEVEL is 'loud'" in said.stderr


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has the name of its variable; an empty variable is none, and nothing changes later."""
    for name, value in {"PORT": "", "HOST": "::1", "WORKERS": "3", "ACCESS_LOG": "no"}.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert (settings.port, settings.host, settings.workers) == (8000, "::1", 3)
    assert settings.access_log is False
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 9000  # type: ignore[misc]


@pytest.mark.parametrize(("option", "value"), [("--port", "70000"), ("--workers", "0")])
def test_a_bad_option_is_told_as_its_setting(option: str, value: str) -> None:
    """An option out of range is refused like the variable it stands for."""
    said = run_cli("serve", option, value)
    assert said.returncode == 2
    assert_readable(said)
    assert option.strip("-").upper() in said.stderr


def test_build_says_what_it_made(tmp_path: Path) -> None:
    """Building prints the file, the release and what is in it; options win over variables."""
    archive = tmp_path / "archive.sqlite"
    said = run_cli("build", "--archive", str(archive), ARCHIVE_FILE=str(tmp_path / "other"))
    assert said.returncode == 0
    assert said.stdout.startswith(f"{archive}: release ")
    assert "2 awards" in said.stdout
    assert {path.name for path in tmp_path.iterdir()} == {
        "archive.sqlite",
        ".archive.sqlite-exports",
    }


@pytest.mark.parametrize("command", ["build", "serve", "verify"])
def test_a_faulty_seed_is_told(seed: SeedCopy, command: str) -> None:
    """Code 1, each fault on a line with its pointer, and nothing is served or written."""
    seed.put("/awards/0/ends", "2020-13")
    seed.put("/awards/0/title", "[red]")
    seed.put("/regions/0/country", "XX")
    archive = seed.path.with_name("archive.sqlite")
    said = run_cli(command, "--seed", str(seed.write()), ARCHIVE_FILE=str(archive))
    assert said.returncode == 1
    assert_readable(said)
    assert '/awards/0/ends: found "2020-13"; expected ' in said.stderr
    assert '/regions/0/country: found "XX"; expected ' in said.stderr
    assert not archive.exists()


@pytest.mark.parametrize("command", ["build", "verify"])
def test_an_absent_seed_is_told(tmp_path: Path, command: str) -> None:
    """A path that leads nowhere is named."""
    seed, archive = tmp_path / "absent.json", tmp_path / "archive.sqlite"
    said = run_cli(command, SEED_FILE=str(seed), ARCHIVE_FILE=str(archive))
    assert said.returncode == 1
    assert_readable(said)
    assert str(seed) in said.stderr
    assert "No such file or directory" in said.stderr


def test_verify_tells_what_it_checked(archive_file: Path) -> None:
    """Without a copy of the page it checks the seed and the archive, and passes."""
    said = run_cli("verify", ARCHIVE_FILE=str(archive_file))
    assert said.returncode == 0, said.stderr
    assert "The seed file is valid" in said.stdout
    assert "The archive matches the seed file" in said.stdout


def test_verify_finds_a_foreign_archive(archive_file: Path, tmp_path: Path) -> None:
    """An archive with other bytes fails the check, and is left as it is."""
    archive = tmp_path / "archive.sqlite"
    content = archive_file.read_bytes()[:-1] + b"x"
    archive.write_bytes(content)
    said = run_cli("verify", ARCHIVE_FILE=str(archive))
    assert said.returncode == 1
    assert_readable(said)
    assert archive.read_bytes() == content


def test_the_schema_is_printed() -> None:
    """What is printed is JSON and nothing else."""
    said = run_cli("schema", COLUMNS="20")
    assert said.returncode == 0
    assert json.loads(said.stdout)["title"]


COMMANDS = {
    "python -m app": [sys.executable, "-m", "app", "serve"],
    "cpc-record": [str(RUN / "cpc-record"), "serve", "--port", "{port}"],
    "uvicorn": [str(RUN / "uvicorn"), "app.main:app", "--port", "{port}"],
    "fastapi run": [str(RUN / "fastapi"), "run", "app/main.py", "--port", "{port}"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_way_to_start_serves_the_record(
    start_server: Start, archive_file: Path, command: list[str]
) -> None:
    """The project's own command and the framework's serve the same."""
    url, process = start_server(*command, ARCHIVE_FILE=str(archive_file))
    assert httpx.get(f"{url}{AWARD}").json()["data"]["id"] == "peru-ilo"
    process.terminate()
    process.wait(timeout=20)


def test_the_first_start_compiles(start_server: Start, tmp_path: Path) -> None:
    """Served from an empty folder by two processes, every answer is the same to the byte."""
    archive = tmp_path / "new" / "archive.sqlite"
    url, process = start_server(WORKERS="2", ARCHIVE_FILE=str(archive))
    with httpx.Client(base_url=url, headers={"Connection": "close"}) as client:
        for path in (AWARD, "/v1/awards", "/v1/record", "/openapi.json"):
            answers = [client.get(path) for _ in range(8)]
            assert len({(one.content, one.headers["etag"]) for one in answers}) == 1
    assert archive.exists()
    process.terminate()
    assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serve_stops_when_told(
    start_server: Start, archive_file: Path, workers: str, stop: signal.Signals
) -> None:
    """A container's stop and Ctrl-C end it with code 0, and the port is free again."""
    url, process = start_server(WORKERS=workers, ARCHIVE_FILE=str(archive_file))
    process.send_signal(stop)
    assert process.wait(timeout=20) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_told(archive_file: Path, workers: str) -> None:
    """Another's port is not taken: it ends at once and says why, without a traceback."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = run_cli("serve", PORT=port, WORKERS=workers, ARCHIVE_FILE=str(archive_file))
    assert said.returncode not in {0, 3}
    assert "address already in use" in said.stderr.lower()
    assert port in said.stderr
    assert_readable(said)


@pytest.mark.parametrize(("name", "value"), [("PORT", "abc"), ("LOG_LEVEL", "loud")])
def test_a_bad_setting_stops_the_framework_too(name: str, value: str) -> None:
    """`uvicorn app.main:app` with a variable that cannot be used ends with the same sentence."""
    said = subprocess.run(
        [str(RUN / "uvicorn"), "app.main:app", "--port", str(free_port())],
        cwd=ROOT,
        env={name: value, "PATH": str(RUN)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert said.returncode != 0
    assert_readable(said)
    assert f"{name} is '{value}'" in said.stderr


def test_another_seed_is_served_as_it_is(start_server: Start, seed: SeedCopy) -> None:
    """SEED_FILE and ARCHIVE_FILE let a server run on another record."""
    seed.put("/awards/0/title", "Another title")
    archive = seed.path.with_name("archive.sqlite")
    url, _ = start_server(SEED_FILE=str(seed.write()), ARCHIVE_FILE=str(archive))
    assert httpx.get(f"{url}{AWARD}").json()["data"]["title"] == "Another title"
    assert seed.path.read_bytes() != SEED.read_bytes()


def test_a_faulty_seed_is_told_in_a_sentence_by_any_server(seed: SeedCopy, tmp_path: Path) -> None:
    """A server that is not started by `serve` ends too, with the pointer and no traceback."""
    seed.put("/awards/0/announced", "2017-13")
    environment = {"SEED_FILE": str(seed.write()), "ARCHIVE_FILE": str(tmp_path / "a.sqlite")}
    done = subprocess.run(
        [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(free_port())],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode != 0
    assert "/awards/0/announced" in done.stderr
    assert "Traceback" not in done.stderr
