"""What looks at the pages the way people and search engines do: Chromium, axe-core, Lighthouse.

``python -m tests.browser_tools http://127.0.0.1:8000/`` prints Lighthouse's scores of a page, the
one for performance too, which depends on the machine and is no test for that reason.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.conftest import ROOT, needs

FOLDER = ROOT / "tests" / "browser"
MODULES = FOLDER / "node_modules"

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Chromium's options that keep it from asking anybody for anything."""


def installed() -> Path:
    """The folder of the locked npm packages, installed where they are absent or outdated."""
    npm = needs("npm", "axe-core and Lighthouse come from it")
    stamp, lock = MODULES / ".installed", FOLDER / "package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        told = subprocess.run(
            install,
            cwd=FOLDER,
            env={**os.environ, "PUPPETEER_SKIP_DOWNLOAD": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        assert told.returncode == 0, told.stdout
        stamp.touch()
    return MODULES


def typescript_bin() -> Path:
    """The folder of TypeScript's compiler, with schema.org's vocabulary as types beside it."""
    return installed() / ".bin"


def axe_script() -> Path:
    """The script that, added to a page, offers `axe.run()`."""
    return installed() / "axe-core" / "axe.min.js"


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with a page as it is shown, a line for each element.

    A page's Content-Security-Policy may forbid scripts; the page's context then needs
    `bypass_csp=True`.
    """
    page.evaluate(axe_script().read_text("utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['html']} ({node['failureSummary']})"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def lighthouse(url: str, *categories: str) -> dict[str, int]:
    """Lighthouse's scores of a page, from 0 to 100, of some categories or of all."""
    command = [
        str(installed() / ".bin" / "lighthouse"),
        url,
        "--quiet",
        "--output=json",
        "--no-enable-error-reporting",
        f"--chrome-flags=--headless {' '.join(CHROMIUM_OPTIONS)}",
        *(f"--only-categories={name}" for name in categories),
    ]
    environment = {**os.environ, "CHROME_PATH": needs("chromium", "Lighthouse drives it")}
    told = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert told.returncode == 0, told.stderr
    scores = json.loads(told.stdout)["categories"]
    return {name: round(100 * one["score"]) for name, one in scores.items()}


if __name__ == "__main__":
    for name, score in lighthouse(sys.argv[1]).items():
        print(f"{score:4} {name}")  # noqa: T201 - it prints
