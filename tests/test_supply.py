"""Supply chain: dependencies are locked by hash, and the repository holds no secrets."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT, needs

LOCKS = sorted(ROOT.glob("requirements*.txt"))
SECRET_PATTERNS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "an AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{60}",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20}",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10}",
    "a package registry token": r"\bpypi-AgE[A-Za-z0-9_-]{20}|\bnpm_[A-Za-z0-9]{36}",
    "a JSON Web Token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.",
    "a password in a URL": r"[a-z]+://[^\s/:@'\"{}<>]+:[^\s/:@'\"{}<>]+@",
    "a password": r"(?i)\b(password|passwd|secret|api_?key|token)\s*[:=]\s*['\"][^'\"\s{}]{8,}",
}


def tracked_files() -> list[Path]:
    """Every file that git tracks."""
    git = needs("git", "it lists the files of the repository")
    done = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git repository")
    names = [name for name in done.stdout.decode().split("\0") if name]
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def find_secrets(text: str) -> list[str]:
    """Names of the secret patterns that occur in a text."""
    return [name for name, pattern in SECRET_PATTERNS.items() if re.search(pattern, text)]


def test_no_secrets_are_committed() -> None:
    """No tracked file holds a key, token or password."""
    files = tracked_files()
    assert len(files) > 100
    secrets = {
        path.relative_to(ROOT): find_secrets(path.read_text("utf-8", "replace"))
        for path in files
        if path != Path(__file__)
    }
    assert not {path: names for path, names in secrets.items() if names}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "an AWS access key"),
        ("ghp_" + "a" * 36, "a GitHub token"),
        ("postgres://user:" + "word@host", "a password in a URL"),
        ('api_key = "' + 'abcdefgh1"', "a password"),
    ],
)
def test_secrets_are_detected(text: str, secret: str) -> None:
    """Each pattern matches an example of its secret."""
    assert find_secrets(text) == [secret]


@pytest.mark.parametrize("lock", LOCKS, ids=[path.name for path in LOCKS])
def test_every_package_is_locked_by_hash(lock: Path) -> None:
    """Each package has one version and a hash, and no package index or URL is named."""
    text = lock.read_text("utf-8")
    packages = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]+\])?==\S+.*\\$", text, re.MULTILINE)
    starts = re.findall(r"^[^\s#].*$", text, re.MULTILINE)
    assert packages
    assert len(packages) == len(starts)
    blocks = re.split(r"^(?=[^\s#])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "index-url" not in text


def test_every_dependency_is_locked() -> None:
    """Every dependency of the project is in `requirements.txt`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[<>=\[; ]", line)[0].lower() for line in project["dependencies"]}
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    assert names <= set(re.findall(r"^([a-z0-9._-]+)", lock, re.MULTILINE))


NO_FINDINGS = "true"
VULNERABLE = """
for last; do [ "$before" = --output ] && echo "found CVE-1" > "$last"; before=$last; done; exit 1
"""
UNREACHABLE = "echo 'ERROR: no response from https://index.example/simple' >&2; exit 1"


@pytest.mark.parametrize(
    ("script", "exit_code", "output"),
    [
        (NO_FINDINGS, 0, "No known vulnerability"),
        (VULNERABLE, 1, "found CVE-1"),
        (UNREACHABLE, 3, "Not run: ERROR: no response from <address>"),
    ],
    ids=["no-findings", "vulnerable", "unreachable"],
)
@pytest.mark.process
def test_an_audit_distinguishes_not_run_from_no_findings(
    tmp_path: Path, script: str, exit_code: int, output: str
) -> None:
    """No findings, findings and an unreachable database have different exit codes."""
    program = tmp_path / "audit"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "audit"), str(program), "requirements.txt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == exit_code
    assert output in done.stdout + done.stderr
