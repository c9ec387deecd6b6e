"""What looks at the pages the way people and search engines do: Chromium, axe-core, Lighthouse."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from playwright.sync_api import Page

from tests.conftest import ROOT, needs

FOLDER = ROOT / "tests" / "browser"
MODULES = FOLDER / "node_modules"

QUIET = [
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
