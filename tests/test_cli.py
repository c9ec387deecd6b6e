"""The command line: commands, options, messages and exit codes."""

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
from tests.conftest import ROOT, SEED, SeedCopy, Start, run_cli
from tests.support.command_line import invoke_cli
from tests.support.ports import free_port
from tests.support.serving import TIMEOUT_SECONDS, fetch

BIN = Path(sys.executable).parent
AWARD = "/v1/awards/peru-ilo"


def assert_readable(result: subprocess.CompletedProcess[str]) -> None:
    """An error is reported by a message, not by a traceback."""
    assert result.stderr.strip()
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_help_lists_commands_and_exit_codes(arguments: list[str]) -> None:
    """Help names every command, the exit codes and the environment."""
    result = invoke_cli(*arguments)
    output = result.stdout + result.stderr
    assert result.returncode == (0 if arguments else 2)
    commands = ("serve", "build", "verify", "freeze", "schema", "openapi")
    editing = ("new", "quote", "cite", "coverage", "edit")
    for text in (*commands, *editing, "Exit codes", "environment"):
        assert text in output


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", ["--host", "--port", "--workers", "--seed", "--archive"]),
        ("verify", ["--source", "--mirror", "--seed", "--archive"]),
        ("freeze", ["--bag", "--crate", "--warc", "--seed", "--archive"]),
    ],
)
def test_help_lists_the_options_of_a_command(command: str, options: list[str]) -> None:
    """Help on a command names its options."""
    result = invoke_cli(command, "--help", COLUMNS="100")
    assert result.returncode == 0
    assert all(option in result.stdout for option in options)


def test_help_shows_flags_without_a_type() -> None:
    """A flag takes no value, so none is shown, also of `--help` itself."""
    for arguments in (["release"], ["edit"], ["verify"], []):
        result = invoke_cli(*arguments, "--help")
        assert result.returncode == 0
        assert "--help" in result.stdout
        assert "bool" not in result.stdout.lower()


@pytest.mark.parametrize(
    "arguments", [["nope"], ["build", "--nope"], ["serve", "--port", "abc"], ["build", "more"]]
)
def test_wrong_usage_is_rejected(arguments: list[str]) -> None:
    """An unknown command or option gives exit code 2 and points to the help."""
    result = invoke_cli(*arguments)
    assert result.returncode == 2
    assert_readable(result)
    assert "--help" in result.stderr


@pytest.mark.process
@pytest.mark.parametrize(
    "command", [[sys.executable, "-m", "app"], [str(BIN / "cpc-record")]], ids=["module", "script"]
)
def test_exit_codes_reach_the_shell(command: list[str]) -> None:
    """Both ways to run the command line exit with its code, and print errors to stderr."""
    result = subprocess.run(
        [*command, "nope"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert result.returncode == 2
    assert_readable(result)
    assert result.stdout == ""


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
def test_an_invalid_setting_is_rejected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The message names the variable and its value."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{name} is '{re.escape(value)}': .*\.$"):
        read_settings()


@pytest.mark.parametrize("command", ["serve", "build"])
def test_every_command_reports_all_invalid_settings(command: str) -> None:
    """Exit code 2, and all invalid settings in one message."""
    result = invoke_cli(command, PORT="abc", WORKERS="0", LOG_LEVEL="loud")
    assert result.returncode == 2
    assert_readable(result)
    assert result.stderr.startswith("PORT is 'abc': ")
    assert "WORKERS is '0'" in result.stderr
    assert "LOG_LEVEL is 'loud'" in result.stderr


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its variable's name; an empty variable is ignored; settings are immutable."""
    for name, value in {"PORT": "", "HOST": "::1", "WORKERS": "3", "ACCESS_LOG": "no"}.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert (settings.port, settings.host, settings.workers) == (8000, "::1", 3)
    assert settings.access_log is False
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 9000  # type: ignore[misc]


@pytest.mark.parametrize(("option", "value"), [("--port", "70000"), ("--workers", "0")])
def test_an_invalid_option_is_reported_as_its_setting(option: str, value: str) -> None:
    """An option out of range is rejected like the variable that it overrides."""
    result = invoke_cli("serve", option, value)
    assert result.returncode == 2
    assert_readable(result)
    assert option.strip("-").upper() in result.stderr


def test_build_prints_what_it_wrote(tmp_path: Path) -> None:
    """The file, the release, counts and exports; options override variables."""
    archive = tmp_path / "archive.sqlite"
    result = invoke_cli("build", "--archive", str(archive), ARCHIVE_FILE=str(tmp_path / "other"))
    assert result.returncode == 0
    assert result.stdout.startswith(f"{archive}: release ")
    assert "1 partnership, " in result.stdout
    assert "2 awards" in result.stdout
    assert "1 source, " in result.stdout
    assert {path.name for path in tmp_path.iterdir()} == {
        "archive.sqlite",
        ".archive.sqlite-exports",
    }


def test_messages_agree_with_their_counts(seed: SeedCopy) -> None:
    """One organization and one source are written in the singular, two resources are not."""
    for name in ("partnerships", "objectives", "awards", "activities", "regions"):
        seed.put(f"/{name}", [])
    publisher = seed.data["sources"][0]["publisher"]
    organizations = [entry for entry in seed.data["organizations"] if entry["id"] == publisher]
    seed.data |= {"organizations": organizations, "outlines": None}
    archive = str(seed.write().with_name("archive.sqlite"))
    for command, expected in (("build", "1 organization, 1 source"), ("verify", "2 resources")):
        result = invoke_cli(command, "--seed", str(seed.path), ARCHIVE_FILE=archive)
        assert result.returncode == 0, result.stderr
        assert expected in result.stdout
        assert re.findall(r"\b1 [a-z]+s\b", result.stdout) == []


@pytest.mark.parametrize("command", ["build", "serve", "verify"])
def test_an_invalid_seed_is_rejected(seed: SeedCopy, command: str) -> None:
    """Exit code 1 and one line per error with its JSON pointer; nothing is served or written."""
    seed.put("/awards/0/ends", "2020-13")
    seed.put("/awards/0/title", "[red]")
    seed.put("/regions/0/country", "XX")
    archive = seed.path.with_name("archive.sqlite")
    result = invoke_cli(command, "--seed", str(seed.write()), ARCHIVE_FILE=str(archive))
    assert result.returncode == 1
    assert_readable(result)
    assert '/awards/0/ends: found "2020-13"; expected ' in result.stderr
    assert '/regions/0/country: found "XX"; expected ' in result.stderr
    assert not archive.exists()


@pytest.mark.parametrize("command", ["build", "verify"])
def test_a_missing_seed_is_rejected(tmp_path: Path, command: str) -> None:
    """The message names the path that does not exist."""
    seed, archive = tmp_path / "absent.json", tmp_path / "archive.sqlite"
    result = invoke_cli(command, SEED_FILE=str(seed), ARCHIVE_FILE=str(archive))
    assert result.returncode == 1
    assert_readable(result)
    assert str(seed) in result.stderr
    assert "No such file or directory" in result.stderr


def test_verify_lists_its_checks(archive_file: Path) -> None:
    """Without a copy of the page it checks the seed and the archive, and succeeds."""
    result = invoke_cli("verify", ARCHIVE_FILE=str(archive_file))
    assert result.returncode == 0, result.stderr
    assert "The seed file is valid" in result.stdout
    assert "The archive matches the seed file" in result.stdout
    assert "no archive" not in result.stdout


def test_verify_says_that_a_missing_archive_was_not_checked(tmp_path: Path) -> None:
    """Neither archive nor exports are reported as checked, and nothing is built."""
    archive = tmp_path / "archive.sqlite"
    result = invoke_cli("verify", ARCHIVE_FILE=str(archive), COLUMNS="500")
    assert result.returncode == 0, result.stderr
    assert f"not checked: no archive at {archive}" in result.stdout
    assert "not checked: none built" in result.stdout
    assert result.stdout.count("skipped") == 2
    assert list(tmp_path.iterdir()) == []


def test_verify_rejects_an_archive_with_other_bytes(archive_file: Path, tmp_path: Path) -> None:
    """The check fails with exit code 1, and the archive is not changed."""
    archive = tmp_path / "archive.sqlite"
    content = archive_file.read_bytes()[:-1] + b"x"
    archive.write_bytes(content)
    result = invoke_cli("verify", ARCHIVE_FILE=str(archive))
    assert result.returncode == 1
    assert_readable(result)
    assert archive.read_bytes() == content


def test_schema_prints_only_json() -> None:
    """Output can be piped to a JSON parser, however narrow the terminal."""
    result = invoke_cli("schema", COLUMNS="20")
    assert result.returncode == 0
    assert json.loads(result.stdout)["title"]


COMMANDS = {
    "python -m app": [sys.executable, "-m", "app", "serve"],
    "cpc-record": [str(BIN / "cpc-record"), "serve", "--port", "{port}"],
    "uvicorn": [str(BIN / "uvicorn"), "app.main:app", "--port", "{port}"],
    "fastapi run": [str(BIN / "fastapi"), "run", "app/main.py", "--port", "{port}"],
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_way_to_start_serves_the_record(
    start_server: Start, archive_file: Path, command: list[str]
) -> None:
    """The project's own command, uvicorn and FastAPI's command serve the same."""
    url, process = start_server(*command, ARCHIVE_FILE=str(archive_file))
    assert fetch(f"{url}{AWARD}").json()["data"]["id"] == "peru-ilo"
    process.terminate()
    process.wait(timeout=TIMEOUT_SECONDS)


def test_the_first_start_compiles_the_record(start_server: Start, tmp_path: Path) -> None:
    """Started in an empty directory, two workers give byte-identical responses."""
    archive = tmp_path / "new" / "archive.sqlite"
    url, process = start_server(WORKERS="2", ARCHIVE_FILE=str(archive))
    with httpx.Client(
        timeout=TIMEOUT_SECONDS, base_url=url, headers={"Connection": "close"}
    ) as client:
        for path in (AWARD, "/v1/awards", "/v1/record", "/openapi.json"):
            responses = [client.get(path) for _ in range(8)]
            assert len({(item.content, item.headers["etag"]) for item in responses}) == 1
    assert archive.exists()
    process.terminate()
    assert process.wait(timeout=TIMEOUT_SECONDS) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_serve_stops_on_signals(
    start_server: Start, archive_file: Path, workers: str, stop: signal.Signals
) -> None:
    """SIGTERM and Ctrl-C end it with exit code 0, and the port is free again."""
    url, process = start_server(WORKERS=workers, ARCHIVE_FILE=str(archive_file))
    process.send_signal(stop)
    assert process.wait(timeout=TIMEOUT_SECONDS) == 0
    with pytest.raises(httpx.ConnectError):
        fetch(url)


@pytest.mark.process
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_in_use_is_reported(archive_file: Path, workers: str) -> None:
    """`serve` exits at once, with a message that names the port and the reason."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = run_cli("serve", PORT=port, WORKERS=workers, ARCHIVE_FILE=str(archive_file))
    assert result.returncode == 4
    assert "address already in use" in result.stderr.lower()
    assert port in result.stderr
    assert_readable(result)


@pytest.mark.process
@pytest.mark.parametrize(("name", "value"), [("PORT", "abc"), ("LOG_LEVEL", "loud")])
def test_uvicorn_reports_an_invalid_setting(name: str, value: str) -> None:
    """`uvicorn app.main:app` fails with the same message as `serve`."""
    result = run_uvicorn({"PATH": str(BIN), name: value})
    assert result.returncode != 0
    assert_readable(result)
    assert f"{name} is '{value}'" in result.stderr


def test_another_seed_can_be_served(start_server: Start, seed: SeedCopy) -> None:
    """SEED_FILE and ARCHIVE_FILE select another record."""
    seed.put("/awards/0/title", "Another title")
    archive = seed.path.with_name("archive.sqlite")
    url, _ = start_server(SEED_FILE=str(seed.write()), ARCHIVE_FILE=str(archive))
    assert fetch(f"{url}{AWARD}").json()["data"]["title"] == "Another title"
    assert seed.path.read_bytes() != SEED.read_bytes()


@pytest.mark.process
def test_uvicorn_reports_an_invalid_seed(seed: SeedCopy, tmp_path: Path) -> None:
    """`uvicorn app.main:app` fails with the JSON pointer and without a traceback."""
    seed.put("/awards/0/announced", "2017-13")
    files = {"SEED_FILE": str(seed.write()), "ARCHIVE_FILE": str(tmp_path / "a.sqlite")}
    result = run_uvicorn({**os.environ, **files})
    assert result.returncode != 0
    assert_readable(result)
    assert "/awards/0/announced" in result.stderr


def run_uvicorn(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run uvicorn on the application, which is expected to fail."""
    return subprocess.run(
        [str(BIN / "uvicorn"), "app.main:app", "--port", str(free_port())],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
