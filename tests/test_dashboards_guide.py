"""Examples of docs/dashboards.md: code is run, and Grafana's selectors are checked."""

from __future__ import annotations

import json
import re
import sys
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.pages.guide.context import DEFAULT_BASE_URL
from tests.conftest import ROOT, needs
from tests.support.browsing import DASHBOARD, chart_libraries, chromium, visit
from tests.support.programs import run

GUIDE = ROOT / "docs" / "dashboards.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
FETCH_CODE, OBSERVABLE_CODE = [code for language, code in BLOCKS if language == "js"]
PANDAS_CODE = [code for language, code in BLOCKS if language == "python"]
GRAFANA_QUERIES = [json.loads(code) for language, code in BLOCKS if language == "json"]


def code_block(language: str) -> str:
    """The only code block in a language."""
    code: str
    (code,) = [text for name, text in BLOCKS if name == language]
    return code


def run_with(server: str, *command: str) -> str:
    """Run a command against the test server and return its output."""
    return run(*(argument.replace(DEFAULT_BASE_URL, server) for argument in command))


@pytest.mark.node
def test_the_fetch_example_prints_counts(server: str) -> None:
    """The JavaScript example prints the total and the count of each objective."""
    node = needs("node", "it runs the JavaScript example")
    output = run_with(server, node, "-e", f"(async () => {{{FETCH_CODE}}})();")
    assert output.startswith("8 ")
    assert "Prevention: 3" in output
    assert "not stated: 1" in output


def test_the_data_loader_prints_csv(server: str) -> None:
    """The data loader for Observable Framework prints CSV with a row for each activity."""
    needs("curl", "the data loader uses it")
    output = run_with(server, "sh", "-c", code_block("sh"))
    assert output.startswith("id,award,")
    assert len(output.splitlines()) == 1 + 8


@pytest.mark.parametrize("example", PANDAS_CODE, ids=["csv", "ndjson"])
def test_the_pandas_examples_count_activities(server: str, example: str) -> None:
    """The pandas examples print activities per objective, including those without a value."""
    output = run_with(server, sys.executable, "-c", example)
    assert re.search(r"peru-prevention +3", output)
    assert re.search(r"NaN +1", output)


@pytest.mark.browser
@pytest.mark.node
def test_the_observable_example_draws_a_chart(server: str) -> None:
    """The Observable example draws a bar for each objective and one for activities without."""
    modules = chart_libraries()
    with chromium() as browser, visit(browser, server) as visited:
        page = visited.page
        page.goto("/docs")
        for script in ("d3/dist/d3.min.js", "@observablehq/plot/dist/plot.umd.min.js"):
            page.evaluate((modules / script).read_text("utf-8"))
        code = OBSERVABLE_CODE.replace(DEFAULT_BASE_URL, server)
        page.evaluate(
            f"(async () => {{ const display = (node) => document.body.append(node); {code} }})()"
        )
        assert page.locator("svg g[aria-label=bar] rect").count() == 4
        assert "not stated" in (page.locator("svg:has(g[aria-label=bar])").text_content() or "")


@pytest.mark.parametrize(
    "query", GRAFANA_QUERIES, ids=[query["root_selector"] for query in GRAFANA_QUERIES]
)
def test_grafana_selectors_match_the_response(server: str, query: dict[str, Any]) -> None:
    """A Grafana query succeeds, and every row of its response has the selected columns."""
    url = query["url"].replace(DEFAULT_BASE_URL, server)
    body = httpx.get(url).raise_for_status().json()
    rows = reduce(getitem, query["root_selector"].split("."), body)
    assert rows
    for row in rows:
        for column in query["columns"]:
            assert column["selector"] in row
            if column["type"] == "number":
                assert isinstance(row[column["selector"]], int)


def test_links_and_versions_are_valid() -> None:
    """Linked files exist, and the example dashboard loads the versions of its package.json."""
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", GUIDE.read_text("utf-8")):
        assert (GUIDE.parent / target).resolve().exists(), target
    html = (DASHBOARD / "index.html").read_text("utf-8")
    package = json.loads(Path(DASHBOARD / "package.json").read_text("utf-8"))
    for name, version in package["dependencies"].items():
        assert f"/npm/{name}@{version}/" in html
