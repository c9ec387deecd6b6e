"""Code of docs/dashboards.md: it is run as printed, and what it draws is compared with the API."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.pages.guide.context import DEFAULT_BASE_URL
from tests.conftest import ROOT, needs
from tests.support.browsing import DASHBOARD, chart_libraries, chromium, serve_directory, visit
from tests.support.environments import install_environment, locked_version
from tests.support.npm import install_packages, package_versions
from tests.support.programs import end, run
from tests.support.serving import fetch
from tests.support.snippets import snippets
from tests.support.tools_table import check_outcome

GUIDE = ROOT / "docs" / "dashboards.md"
FOLDER = ROOT / "tests" / "dashboards"
SNIPPETS = snippets(GUIDE)
SHARE_COVERED = (FOLDER / "share_covered.js").read_text("utf-8")
TIME_ZONE = "America/Lima"
"""Where the day changes five hours after UTC."""


def code_blocks(heading: str, language: str) -> list[str]:
    """The code under a heading, in one language."""
    found = [item.code for item in SNIPPETS if (item.heading, item.language) == (heading, language)]
    assert found, f"no {language} under {heading}"
    return found


def code_block(heading: str, language: str) -> str:
    """The only code under a heading, in one language."""
    (code,) = code_blocks(heading, language)
    return code


SECTIONS = ("Requests", "Counts", "Dates", "Missing values and amounts", "Outlines")
FUNCTIONS = "\n".join(code_block(section, "js") for section in SECTIONS)
"""The functions that the code for each library uses, with what they print."""
PYTHON_CODE = code_blocks("Python", "python")
GRAFANA_QUERIES = [json.loads(code) for code in code_blocks("Grafana", "json")]


def run_with(server: str, *command: str, **options: Any) -> str:
    """Run a command against the test server and return its output."""
    return run(*(part.replace(DEFAULT_BASE_URL, server) for part in command), **options)


def run_functions(server: str, code: str = "") -> list[str]:
    """Lines that the functions of the guide print in Node.js, and then further code."""
    node = needs("node", "it runs the functions of the guide")
    module = f"{FUNCTIONS}\n{code}"
    return run_with(server, node, "--input-type=module", "-e", module, TZ=TIME_ZONE).splitlines()


@pytest.mark.node
def test_the_functions_print_counts_and_values(server: str) -> None:
    """Counts have names, also those of no value; values that are missing are no zeros."""
    lines = run_functions(server)
    assert lines[:4] == [
        "Prevention: 3 of 8",
        "Protection: 3 of 8",
        "Prosecution: 2 of 8",
        "not stated: 1 of 8",
    ]
    assert lines[4].endswith("and Peru: $5,000,000, ends: not stated")
    assert sorted(lines[5:]) == [
        "centro-yanapanakusun: cusco",
        "ilo: metropolitan-lima, cusco, loreto",
    ]


@pytest.mark.node
def test_the_functions_handle_every_kind_of_value(server: str) -> None:
    """Pages, errors, partial dates and qualified amounts, west of Greenwich."""
    lines = run_functions(
        server,
        """
        console.log("---");
        console.log((await getAll("/v1/activities?limit=3")).length);
        await get("/v1/activities?facet=regio").catch((error) => console.log(error.message));
        for (const date of ["2017", "2020-12", "2016-02-29"]) {
          const { start, end } = span(date);
          console.log(dateText(date), start.toISOString(), end.toISOString());
        }
        console.log(amountText(7000000, "EUR", "up_to"), amountText(1, "USD", null));
        console.log(facetName({ value: "ngo", label: null }));
        console.log(valueText({ ends: null, not_stated: [] }, "ends", dateText));
        """,
    )
    lines = lines[lines.index("---") + 1 :]
    assert lines[0] == "8"
    assert lines[1].startswith("Invalid query parameters: facet: expected one of")
    assert lines[2:] == [
        "2017 2017-01-01T00:00:00.000Z 2018-01-01T00:00:00.000Z",
        "December 2020 2020-12-01T00:00:00.000Z 2021-01-01T00:00:00.000Z",
        "February 29, 2016 2016-02-29T00:00:00.000Z 2016-03-01T00:00:00.000Z",
        "up to €7,000,000 $1",
        "ngo",
        "does not apply",
    ]


SCRIPTS = {
    "Observable Plot": ["d3/dist/d3.min.js", "@observablehq/plot/dist/plot.umd.min.js"],
    "Vega-Lite": [
        "vega/build/vega.min.js",
        "vega-lite/build/vega-lite.min.js",
        "vega-embed/build/vega-embed.min.js",
    ],
    "Chart.js": ["chart.js/dist/chart.umd.min.js"],
    "ECharts": ["echarts/dist/echarts.min.js"],
    "Leaflet": ["leaflet/dist/leaflet.js"],
    "MapLibre GL": [],  # it has modules alone
}
"""Scripts of each library."""
Draw = Callable[[str, str], AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def modules() -> Path:
    """`node_modules` with the libraries, but for those of the example dashboard."""
    return install_packages(FOLDER, "the libraries of docs/dashboards.md come from it")


@pytest.fixture(scope="module")
def site(modules: Path) -> Iterator[str]:
    """Base URL of a static file server with the libraries."""
    with serve_directory(modules) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, with WebGL in software for MapLibre GL."""
    with chromium("--enable-unsafe-swiftshader") as launched:
        yield launched


@pytest.fixture
def draw(browser: Browser, site: str, server: str, modules: Path) -> Draw:
    """Opens a page west of Greenwich, and runs code there after the functions of the guide.

    Variables that the code declares are then global.
    """

    @contextmanager
    def draw_with(library: str, code: str) -> Iterator[Page]:
        with visit(browser, site, server, timezone_id=TIME_ZONE) as visited:
            page = visited.page
            page.goto(f"{site}/leaflet/package.json")
            page.set_content('<div id="chart" style="width: 900px; height: 400px"></div>')
            for script in SCRIPTS[library]:
                folder = modules if (modules / script).exists() else chart_libraries()
                page.add_script_tag(path=folder / script)
            page.add_style_tag(path=modules / "leaflet/dist/leaflet.css")
            if library == "MapLibre GL":
                url = f"{site}/maplibre-gl/dist/maplibre-gl.mjs"
                page.evaluate("async url => { globalThis.maplibregl = await import(url) }", url)
            page.evaluate("() => { if (globalThis.Chart) Chart.defaults.animation = false }")
            names = re.findall(r"^const (\w+) = ", code, re.MULTILINE)
            export = f"Object.assign(globalThis, {{ {', '.join(names)} }});"
            whole = f"(async () => {{ {FUNCTIONS}\n{{ {code}\n{export} }} }})()"
            page.evaluate(whole.replace(DEFAULT_BASE_URL, server))
            yield page
            assert visited.blocked_urls == []

    return draw_with


def share_covered(page: Page, selector: str) -> float:
    """Share of a map at whose points an outline is drawn."""
    page.locator(selector).scroll_into_view_if_needed()
    share: float = page.locator(selector).evaluate(SHARE_COVERED)
    return share


def versions() -> dict[str, str]:
    """Version of each library, by package."""
    example = json.loads((DASHBOARD / "package.json").read_text("utf-8"))
    return {**package_versions(FOLDER), **example["dependencies"]}


def library_version(library: str) -> str:
    """Version of a library of the table."""
    packages = {
        "Observable Plot": "@observablehq/plot",
        "Vega-Lite": "vega-lite",
        "MapLibre GL": "maplibre-gl",
    }
    return versions()[packages.get(library, library.lower())]


def check_drawn(library: str, outcome: str) -> None:
    """Compare the row of a library in docs/tools.md with what its code of the guide drew."""
    check_outcome("charts", library, library_version(library), "code of dashboards.md", outcome)


def texts(page: Page, selector: str) -> list[str]:
    """Texts of elements, in order."""
    return page.locator(selector).all_text_contents()


OBJECTIVES = ["Prevention", "Protection", "Prosecution", "not stated"]
REGIONS = ["not stated", "Cusco", "Loreto", "Metropolitan Lima"]
AWARDS = [
    "Centro Yanapanakusun program to prevent child trafficking in Cusco",
    "ILO program against child sex and labor trafficking in Peru",
]
PERIOD = [1506816000000, 1609459200000]
"""From October 1, 2017, to the end of December 31, 2020, in UTC."""


@pytest.mark.browser
@pytest.mark.node
def test_observable_plot(draw: Draw) -> None:
    """Bars of whole numbers, periods up to the end of the last month, and outlines."""
    with draw("Observable Plot", code_block("Observable Plot", "js")) as page:
        ticks = "svg >> nth=0 >> [aria-label='{}-axis tick label'] text"
        assert texts(page, ticks.format("x")) == ["0", "1", "2", "3"]
        assert texts(page, ticks.format("y")) == OBJECTIVES
        domain = "timeline.scale('x').domain.map(Number)"
        assert page.evaluate(domain) == PERIOD
        assert page.locator("svg >> nth=1 >> [aria-label=bar] rect").count() == len(AWARDS)
        assert sorted(texts(page, "svg >> nth=2 >> path title")) == sorted(REGIONS[1:])
        assert 0 < share_covered(page, "#chart > svg >> nth=2") < 0.3
    check_drawn("Observable Plot", "bars, periods and outlines as in the API")


@pytest.mark.browser
@pytest.mark.node
def test_d3_without_a_projection(draw: Draw) -> None:
    """Degrees as they are need no reversed rings."""
    code = """
    const outlines = await get("/v1/regions?format=geojson");
    const projection = d3.geoIdentity().reflectY(true).fitSize([900, 400], outlines);
    d3.select("#chart").append("svg").attr("width", 900).attr("height", 400).selectAll("path")
      .data(outlines.features).join("path").attr("d", d3.geoPath(projection));
    document.body.append(Plot.plot({
      projection: { type: "reflect-y", domain: outlines },
      marks: [Plot.geo(outlines, { fill: "steelblue" })],
    }));
    """
    with draw("Observable Plot", code) as page:
        assert 0 < share_covered(page, "#chart > svg") < 0.3
        assert 0 < share_covered(page, "body > svg") < 0.3


@pytest.mark.browser
@pytest.mark.node
def test_vega_lite(draw: Draw) -> None:
    """Bars of whole numbers, periods up to the end of the last month, and outlines."""
    with draw("Vega-Lite", code_block("Vega-Lite", "js")) as page:
        labels = page.locator("svg [aria-label]").evaluate_all(
            "elements => elements.map((element) => element.getAttribute('aria-label'))"
        )
        assert "count: 1; name: not stated" in labels
        assert [label for label in labels if "End:" in label] == [
            f"Start: Oct 01, 2017; title: {award}; End: Jan 01, 2021" for award in AWARDS
        ]
        assert texts(page, "svg text") == [
            *["0", "1", "2", "3", "count", *OBJECTIVES],
            *["2018", "2019", "2020", "2021", *AWARDS],
        ]
        assert 0 < share_covered(page, "svg .mark-shape") < 0.5
        assert page.locator("svg .mark-shape path").count() == len(REGIONS[1:])
    check_drawn("Vega-Lite", "bars, periods and outlines as in the API")


@pytest.mark.browser
@pytest.mark.node
def test_chart_js(draw: Draw) -> None:
    """Bars of whole numbers, and periods up to the end of the last month, both on a canvas."""
    with draw("Chart.js", code_block("Chart.js", "js")) as page:
        counts, periods = page.evaluate(
            """[bars, timeline].map((canvas) => {
              const { scales: { x, y }, getDatasetMeta } = Chart.getChart(canvas);
              const labels = (axis) => axis.ticks.map((tick) => String(tick.label));
              const ends = Chart.getChart(canvas).getDatasetMeta(0).data.map((bar) =>
                [bar.base, bar.x].map((pixel) => x.getValueForPixel(pixel)));
              return { x: labels(x), y: labels(y), ends };
            })"""
        )
        assert counts["x"] == ["0", "1", "2", "3", "4", "5", "6"]
        assert counts["y"] == REGIONS
        assert [end for _, end in counts["ends"]] == pytest.approx([6, 2, 1, 1])
        assert periods["x"] == ["2017", "2018", "2019", "2020", "2021"]
        assert periods["ends"] == [pytest.approx(PERIOD)] * len(AWARDS)
        pixels = "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
        assert page.evaluate(f"[bars, timeline].every((canvas) => {pixels}.some(Boolean))")
    check_drawn("Chart.js", "bars and periods as in the API")


@pytest.mark.browser
@pytest.mark.node
def test_echarts(draw: Draw) -> None:
    """Bars of whole numbers, and a map that is joined to the counts by the names of regions."""
    with draw("ECharts", code_block("ECharts", "js")) as page:
        assert texts(page, "#chart > div:nth-child(1) text") == [
            *REGIONS,
            *["0", "1", "2", "3", "4", "5", "6"],
        ]
        assert set(texts(page, "#chart > div:nth-child(2) text")) == set(REGIONS[1:])
        assert 0 < share_covered(page, "#chart > div:nth-child(2) svg") < 0.3
        values = "map.getModel().getSeriesByIndex(0).getData().mapArray('value', Number)"
        assert sorted(page.evaluate(values)) == [1, 1, 2]
    check_drawn("ECharts", "bars and map as in the API")


@pytest.mark.browser
@pytest.mark.node
def test_leaflet(draw: Draw) -> None:
    """Outlines with the number of activities."""
    with draw("Leaflet", code_block("Leaflet", "js")) as page:
        expected = ["Cusco: 2", "Loreto: 1", "Metropolitan Lima: 1"]
        assert texts(page, ".leaflet-tooltip") == expected
        assert page.locator(".leaflet-overlay-pane path").count() == len(expected)
        expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)
        assert 0 < share_covered(page, "#chart") < 0.3
    check_drawn("Leaflet", "map as in the API")


@pytest.mark.browser
@pytest.mark.node
def test_maplibre(draw: Draw) -> None:
    """Outlines that are filled by the state of each region."""
    with draw("MapLibre GL", code_block("MapLibre GL", "js")) as page:
        features = page.evaluate(
            """async () => {
              if (!map.loaded() || !map.areTilesLoaded()) await map.once("idle");
              return map.queryRenderedFeatures().map(({ id, state }) => [id, state.count]);
            }"""
        )
        assert dict(features) == {"cusco": 2, "loreto": 1, "metropolitan-lima": 1}
        assert page.evaluate("map.queryRenderedFeatures([2, 2]).length") == 0
    check_drawn("MapLibre GL", "map as in the API")


BY_DEFAULT = FOLDER / "by_default"
"""What an author writes who has not read the guide, for each library."""


def outlines_by_default(page: Page, library: str) -> str:
    """What a library makes of the outlines as they come."""
    if library == "MapLibre GL":
        ids = page.evaluate("ids")
        assert ids == [0]
        return "right, but **every id is 0**"
    if library == "Chart.js":
        return "none without a plugin"
    share = share_covered(page, "#chart" if library == "Leaflet" else "#chart svg")
    assert share > 0
    return "**inverted**" if share > 0.3 else "right"


def dates_by_default(page: Page, library: str) -> str:
    """What a library makes of partial dates, in a time zone west of Greenwich."""
    if library in {"Leaflet", "MapLibre GL"}:
        return ""
    dates = page.evaluate("dates")
    meanings = {
        ("2017-10", "2017-06-15"): "text",
        ("2017-06-15", "2017-10"): "text",
        ("2017-09-30", "2017-06-14"): "UTC, **shown in local time**",
        ("2017-10-01", "2017-06-15"): "local time, shown in local time",
    }
    if any("date adapter" in text for text in dates):
        return "none without a date adapter"
    return meanings[tuple(dates)]


def small_counts_by_default(page: Page, library: str) -> str:
    """The first ticks of the axis of a bar whose length is 1."""
    if library in {"Leaflet", "MapLibre GL"}:
        return ""
    return f"**{', '.join(page.evaluate('small'))}, …**"


@pytest.mark.browser
@pytest.mark.node
@pytest.mark.parametrize("library", SCRIPTS)
def test_the_table_says_what_libraries_do_by_default(draw: Draw, library: str) -> None:
    """The row of each library is what it does without the code of the guide."""
    name = f"{library} {library_version(library)}"
    code = BY_DEFAULT / f"{re.sub(r'[^a-z]', '_', library.lower())}.js"
    with draw(library, code.read_text("utf-8")) as page:
        row = [
            f"{name}, D3 {versions()['d3']}" if library == "Observable Plot" else name,
            outlines_by_default(page, library),
            dates_by_default(page, library),
            small_counts_by_default(page, library),
        ]
    line = f"| {' | '.join(row)} |".replace("  ", " ")
    assert line in GUIDE.read_text("utf-8").splitlines()


def test_the_table_has_every_library() -> None:
    """There is code for each library in the table, and nothing else in it."""
    table = GUIDE.read_text("utf-8").partition("<!-- begin: libraries -->")[2]
    names = re.findall(r"^\| ([A-Z][\w. -]*?) [\d.]+[ ,]", table, re.MULTILINE)
    assert names == [*SCRIPTS]


@pytest.mark.process
@pytest.mark.parametrize("example", PYTHON_CODE[:2], ids=["csv", "ndjson"])
def test_the_pandas_examples_count_activities(server: str, example: str) -> None:
    """The pandas examples print activities per objective, including those without a value."""
    output = run_with(server, sys.executable, "-c", example)
    assert re.search(r"peru-prevention +3", output)
    assert re.search(r"NaN +1", output)


PLOTLY_MAP = """
outlines = get("/v1/regions?format=geojson")
options = {"fitbounds": "locations", "basemap_visible": False}
px.choropleth(regions, geojson=outlines, locations="value", **options).write_html("map.html")
print(timeline.data[0].base[0], timeline.data[0].x[0])
"""


@pytest.mark.browser
@pytest.mark.process
def test_the_plotly_example_draws_charts(server: str, browser: Browser, tmp_path: Path) -> None:
    """The bars have one without a region, and periods last up to the end of the last month.

    A map that needs a base map from another host, though it is not shown, has no outline.
    """
    python = install_environment(FOLDER) / "python"
    output = run_with(server, str(python), "-c", f"{PYTHON_CODE[2]}{PLOTLY_MAP}", cwd=tmp_path)
    assert output.split() == ["2017-10-01T00:00:00.000000", str(PERIOD[1] - PERIOD[0])]
    with visit(browser, server) as visited:
        page = visited.page
        page.set_content((tmp_path / "regions.html").read_text("utf-8"))
        expect(page.locator(".xtick")).to_have_text(["0", "1", "2", "3", "4", "5", "6"])
        expect(page.locator(".ytick")).to_have_text(REGIONS)
        expect(page.locator(".bars .point")).to_have_count(len(REGIONS))
        assert visited.blocked_urls == []
        with page.expect_event("requestfailed"):
            page.set_content((tmp_path / "map.html").read_text("utf-8"))
        assert visited.blocked_urls[0].startswith("https://cdn.plot.ly/")
        expect(page.locator(".choroplethlayer path")).to_have_count(0)
    outcome = "bars and periods as in the API; no `choropleth` without `cdn.plot.ly`"
    version = locked_version(FOLDER, "plotly")
    check_outcome("charts", "plotly", version, "code of dashboards.md", outcome)


@pytest.fixture
def project(modules: Path, tmp_path: Path) -> Path:
    """An empty project of Observable Framework."""
    (tmp_path / "src" / "data").mkdir(parents=True)
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    (tmp_path / "observablehq.config.js").write_text('export default { root: "src" };', "utf-8")
    (tmp_path / "node_modules").symlink_to(modules)
    return tmp_path


BUILD = ["node_modules/.bin/observable", "build"]
LOADER = code_block("Observable Framework", "javascript")


@pytest.mark.node
def test_framework_builds_with_the_data_loader(server: str, project: Path) -> None:
    """Observable Framework builds a page with all activities, or stops if the API has an error."""
    needs("node", "Observable Framework runs on it")
    page = '```js\nFileAttachment("data/activities.json").json()\n```\n'
    (project / "src" / "index.md").write_text(page, "utf-8")
    loader = project / "src" / "data" / "activities.json.js"
    loader.write_text(LOADER.replace(DEFAULT_BASE_URL, server), "utf-8")
    environment: dict[str, Any] = {"OBSERVABLE_TELEMETRY_DISABLE": "true"}
    run(*BUILD, cwd=project, **environment)
    [built] = (project / "dist" / "_file" / "data").glob("activities.*.json")
    assert len(json.loads(built.read_text("utf-8"))) == 8
    shutil.rmtree(project / "src" / ".observablehq" / "cache" / "data")
    wrong = LOADER.replace(DEFAULT_BASE_URL, server).replace("/activities", "/activitys")
    loader.write_text(wrong, "utf-8")
    failed = end(*BUILD, cwd=project, with_stderr=True, **environment)
    assert failed.returncode != 0
    assert "activities" in failed.stdout  # the path that was meant
    version = versions()["@observablehq/framework"]
    outcome = "built with all activities; an error of the API stops the build"
    check_outcome("charts", "Observable Framework", version, "JSON data loader", outcome)


@pytest.mark.process
def test_the_csv_loader_prints_csv(server: str) -> None:
    """The other data loader prints CSV with a row for each activity."""
    needs("curl", "the data loader uses it")
    output = run_with(server, "sh", "-c", code_block("Observable Framework", "sh"))
    assert output.startswith("id,award,")
    assert len(output.splitlines()) == 1 + 8


@pytest.mark.parametrize(
    "query", GRAFANA_QUERIES, ids=[query["root_selector"] for query in GRAFANA_QUERIES]
)
def test_grafana_selectors_match_the_response(server: str, query: dict[str, Any]) -> None:
    """A Grafana query succeeds, and every row of its response has the selected columns."""
    url = query["url"].replace(DEFAULT_BASE_URL, server)
    body = fetch(url).raise_for_status().json()
    rows = reduce(getitem, query["root_selector"].split("."), body)
    assert rows
    for row in rows:
        for column in query["columns"]:
            assert column["selector"] in row
            if column["type"] == "number":
                assert isinstance(row[column["selector"]], int)


def test_versions_are_those_of_the_example() -> None:
    """The example dashboard loads the versions of its package.json."""
    html = (DASHBOARD / "index.html").read_text("utf-8")
    package = json.loads(Path(DASHBOARD / "package.json").read_text("utf-8"))
    for name, version in package["dependencies"].items():
        assert f"/npm/{name}@{version}/" in html
