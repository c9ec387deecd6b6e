"""Audits of pages in Chromium with axe-core and Lighthouse.

``python -m tests.support.browser_tools http://127.0.0.1:8000/`` prints the Lighthouse scores of a
page. They include performance, which is not tested because it depends on the machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.conftest import ROOT, needs
from tests.support.npm import install_packages
from tests.support.programs import run

DIRECTORY = ROOT / "tests" / "browser"
MODULES = DIRECTORY / "node_modules"

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Command-line options that disable Chromium's own background requests."""


def install_modules() -> Path:
    """The `node_modules` with axe-core and Lighthouse."""
    return install_packages(DIRECTORY, "it installs axe-core and Lighthouse")


def typescript_bin() -> Path:
    """Directory of the TypeScript compiler; schema.org's types are installed in its parent."""
    return install_modules() / ".bin"


def axe_script() -> Path:
    """Path of the script that defines `axe.run()`."""
    return install_modules() / "axe-core" / "axe.min.js"


def violations(page: Page, *further_rules: str) -> list[str]:
    """Accessibility violations that axe-core finds on the current page, one line per element.

    If the page's Content-Security-Policy forbids scripts, its context needs `bypass_csp=True`.

    Args:
        page: The page.
        further_rules: Rules that are checked besides axe-core's default ones.
    """
    page.evaluate(axe_script().read_text("utf-8"))
    rules = {rule: {"enabled": True} for rule in further_rules}
    results = page.evaluate(
        "rules => axe.run(document, {resultTypes: ['violations'], rules})", rules
    )
    return [
        f"{rule['id']}: {node['html']} ({node['failureSummary']})"
        for rule in results["violations"]
        for node in rule["nodes"]
    ]


def lighthouse(url: str, *categories: str) -> dict[str, int]:
    """Lighthouse scores of a page from 0 to 100, by category; all categories by default."""
    command = [
        install_modules() / ".bin" / "lighthouse",
        url,
        "--quiet",
        "--output=json",
        "--no-enable-error-reporting",
        f"--chrome-flags=--headless {' '.join(CHROMIUM_OPTIONS)}",
        *(f"--only-categories={name}" for name in categories),
    ]
    chromium = needs("chromium", "Lighthouse uses it")
    scores = json.loads(run(*command, CHROME_PATH=chromium, seconds=300))["categories"]
    return {name: round(100 * category["score"]) for name, category in scores.items()}


if __name__ == "__main__":
    for name, score in lighthouse(sys.argv[1]).items():
        print(f"{score:4} {name}")  # noqa: T201 - command-line output
