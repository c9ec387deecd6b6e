"""What is installed is known, and nothing that should stay private is in the repository."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT, needs

LOCKS = sorted(ROOT.glob("requirements*.txt"))
SECRETS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "an access key of AWS": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{60}",
    "a token of GitLab": r"\bglpat-[A-Za-z0-9_-]{20}",
    "a token of Slack": r"\bxox[abprs]-[A-Za-z0-9-]{10}",
    "a token of a package index": r"\bpypi-AgE[A-Za-z0-9_-]{20}|\bnpm_[A-Za-z0-9]{36}",
    "a JSON Web Token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    "a password in an address": r"[a-z]+://[^\s/:@'\"{}<>]+:[^\s/:@'\"{}<>]+@",
    "a password": r"(?i)\b(password|passwd|secret|api_?key|token)\s*[:=]\s*['\"][^'\"\s{}]{8,}",
}


def tracked() -> list[Path]:
    """Every file of the repository that is text."""
    git = needs("git", "it knows what is in the repository")
    told = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if told.returncode:
        pytest.skip("this is no clone of the repository")
    names = [name for name in told.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def found(text: str) -> list[str]:
    """What looks like a secret."""
    return [name for name, pattern in SECRETS.items() if re.search(pattern, text)]


def test_there_are_no_secrets() -> None:
    """No key, token or password stands in any file."""
    files = tracked()
    assert len(files) > 100
    told = {
        path.relative_to(ROOT): found(path.read_text("utf-8", "replace"))
        for path in files
        if path != Path(__file__)
    }
    assert not {path: names for path, names in told.items() if names}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "an access key of AWS"),
        ("ghp_" + "a" * 36, "a token of GitHub"),
        ("postgres://user:" + "word@host", "a password in an address"),
        ('api_key = "' + 'abcdefgh1"', "a password"),
    ],
)
def test_secrets_would_be_found(text: str, named: str) -> None:
    """The patterns find what they are for."""
    assert found(text) == [named]


@pytest.mark.parametrize("lock", LOCKS, ids=[path.name for path in LOCKS])
def test_every_package_is_locked_by_hash(lock: Path) -> None:
    """Each has one version and a digest, and no index or address is named."""
    text = lock.read_text("utf-8")
    packages = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]+\])?==\S+.*\\$", text, re.MULTILINE)
    starts = re.findall(r"^[^\s#].*$", text, re.MULTILINE)
    assert len(packages) == len(starts) > 10
    blocks = re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "index-url" not in text


def test_what_serves_is_locked() -> None:
    """Every dependency of the project is in the lock that an installation takes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[<>=\[; ]", one)[0].lower() for one in project["dependencies"]}
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    assert wanted <= set(re.findall(r"^([a-z0-9._-]+)", lock, re.MULTILINE))


CLEAN = "true"
VULNERABLE = """
for last; do [ "$before" = --output ] && echo "found CVE-1" > "$last"; before=$last; done; exit 1
"""
UNASKED = "echo 'ERROR: nobody at https://index.example/simple answers' >&2; exit 1"


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        (CLEAN, 0, "No known vulnerability"),
        (VULNERABLE, 1, "found CVE-1"),
        (UNASKED, 3, "Not run: ERROR: nobody at <address> answers"),
    ],
    ids=["clean", "vulnerable", "unasked"],
)
def test_an_audit_that_asked_nobody_is_not_run(
    tmp_path: Path, said: str, code: int, told: str
) -> None:
    """Nothing found, something found and nobody asked are three different ends."""
    program = tmp_path / "audit"
    program.write_text(f"#!/bin/sh\n{said}\n", "utf-8")
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "audit"), str(program), "requirements.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert told in done.stdout + done.stderr
