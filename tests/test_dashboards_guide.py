"""The guide for makers of dashboards: what can be run in it is run, the rest is looked up."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, needs
from tests.support.browsing import DASHBOARD, chart_libraries, chromium, visit

GUIDE = ROOT / "docs" / "dashboards.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
FETCHED, PLOTTED = [code for language, code in BLOCKS if language == "js"]
QUERIES = [json.loads(code) for language, code in BLOCKS if language == "json"]
LOCAL = "http://127.0.0.1:8000"


def block(language: str) -> str:
    """The one block of a language."""
    only: str
    (only,) = [code for named, code in BLOCKS if named == language]
    return only


def printed(server: str, *command: str) -> str:
    """What a command that asks the API printed."""
    here = [part.replace(LOCAL, server) for part in command]
    done = subprocess.run(here, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_lines_with_fetch_run(server: str) -> None:
    """Plain JavaScript prints the counts."""
    node = needs("node", "the guide's lines are run")
    shown = printed(server, node, "-e", f"(async () => {{{FETCHED}}})();")
    assert shown.startswith("8 ")
    assert "peru-prevention: 3" in shown
    assert "not stated: 1" in shown


def test_the_loader_gives_a_table(server: str) -> None:
    """The data loader writes CSV with a row for each activity."""
    needs("curl", "the guide's loader uses it")
    shown = printed(server, "sh", "-c", block("sh"))
    assert shown.startswith("id,award,")
    assert len(shown.splitlines()) == 1 + 8


def test_the_lines_with_pandas_run(server: str) -> None:
    """Python prints the activities per objective, the ones that state none among them."""
    shown = printed(server, sys.executable, "-c", block("python"))
    assert re.search(r"peru-prevention +3", shown)
    assert re.search(r"NaN +1", shown)


def test_the_chart_is_drawn(server: str) -> None:
    """The lines for Observable draw a bar for each objective and one for what is not stated."""
    modules = chart_libraries()
    with chromium() as browser, visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        for script in ("d3/dist/d3.min.js", "@observablehq/plot/dist/plot.umd.min.js"):
            page.evaluate((modules / script).read_text("utf-8"))
        code = PLOTTED.replace(LOCAL, server)
        page.evaluate(
            f"(async () => {{ const display = (one) => document.body.append(one); {code} }})()"
        )
        assert page.locator("svg g[aria-label=bar] rect").count() == 4
        assert "not stated" in (page.locator("svg:has(g[aria-label=bar])").text_content() or "")


@pytest.mark.parametrize("query", QUERIES, ids=[query["root_selector"] for query in QUERIES])
def test_selectors_find_what_they_name(server: str, query: dict[str, Any]) -> None:
    """A query for Grafana asks what is answered, and its selectors stand in every row."""
    answer = httpx.get(query["url"].replace(LOCAL, server)).raise_for_status().json()
    rows = reduce(getitem, query["root_selector"].split("."), answer)
    assert rows
    for row in rows:
        for column in query["columns"]:
            assert column["selector"] in row
            if column["type"] == "number":
                assert isinstance(row[column["selector"]], int)


def test_the_paths_of_the_guide_exist() -> None:
    """The files that it links are there; the page names the versions that are locked."""
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", GUIDE.read_text("utf-8")):
        assert (GUIDE.parent / target).resolve().exists(), target
    page = (DASHBOARD / "index.html").read_text("utf-8")
    wanted = json.loads(Path(DASHBOARD / "package.json").read_text("utf-8"))["dependencies"]
    for name, version in wanted.items():
        assert f"/npm/{name}@{version}/" in page
