"""Each snippet of docs/reading.md runs as it is printed, against a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from zipfile import ZipFile

import pytest

from app.pages.guide.context import DEFAULT_BASE_URL
from tests.conftest import ROOT, needs
from tests.readers.page import PAGE
from tests.readers.spreadsheet import command
from tests.support.browsing import chromium, serve_directory, visit
from tests.support.environments import install_environment
from tests.support.npm import install_packages
from tests.support.programs import run
from tests.support.snippets import Snippet, snippets

FOLDER = ROOT / "tests" / "readers"
SNIPPETS = snippets(PAGE)


def blocks(heading: str, language: str) -> list[Snippet]:
    """The snippets under a heading, in one language."""
    found = [item for item in SNIPPETS if (item.heading, item.language) == (heading, language)]
    assert found
    return found


def run_code(code: str, server: str, *program: str | Path, folder: Path | None = None) -> str:
    """What a program prints for code, with the address of the server in it."""
    return run(*program, code.replace(DEFAULT_BASE_URL, server), cwd=folder)


def run_sql(snippet: Snippet, server: str, lock: str) -> str:
    """Rows in DuckDB of an environment, as JSON."""
    python = install_environment(FOLDER, lock=lock) / "python"
    return run_code(snippet.code, server, python, FOLDER / "programs" / "run_sql.py")


def run_python(snippet: Snippet, server: str, folder: Path | None = None) -> str:
    """What a snippet prints in Python."""
    python = install_environment(FOLDER) / "python"
    return run_code(snippet.code, server, python, "-c", folder=folder)


def test_every_snippet_is_run() -> None:
    """The tests below know all snippets."""
    counts: dict[tuple[str, str], int] = {}
    for snippet in SNIPPETS:
        key = snippet.heading, snippet.language
        counts[key] = counts.get(key, 0) + 1
    assert counts == {
        ("DuckDB", "sql"): 3,
        ("polars", "python"): 3,
        ("pandas", "python"): 3,
        ("R", "r"): 3,
        ("Datasette", "sh"): 1,
        ("QGIS and geopandas", "python"): 2,
        ("LibreOffice and Excel", "sh"): 1,
        ("JavaScript", "js"): 1,
    }


@pytest.mark.process
@pytest.mark.parametrize("lock", ["requirements.txt", "others.txt"], ids=["2.0", "1.5"])
def test_duckdb(server: str, lock: str) -> None:
    """Files are joined by address; codes, days, lists and types of what is null are kept."""
    joined, typed, _ = blocks("DuckDB", "sql")
    rows = run_sql(joined, server, lock)
    assert rows.count('"2017-10-01"') == 4
    assert '"Cusco", "08"' in rows
    from_csv, from_json = run_sql(typed, server, lock).splitlines()
    assert '["peru-ilo", "2017-10", null, ["metropolitan-lima", "cusco", "loreto"]]' in from_csv
    assert '["peru-ilo", "2017-10", null, ["metropolitan-lima", "cusco", "loreto"]]' in from_json


@pytest.mark.process
def test_duckdb_attaches_the_database(server: str) -> None:
    """Days are read as such, and booleans and lists are converted as the page says."""
    rows = run_sql(blocks("DuckDB", "sql")[2], server, "others.txt").splitlines()[-1]
    assert '["peru-ilo", "2017-10-01", true, ["peru-prosecution", "peru-protection",' in rows


@pytest.mark.process
def test_polars(server: str) -> None:
    """Types are those of the record in Parquet, CSV and NDJSON."""
    parquet, text, lines = (run_python(snippet, server) for snippet in blocks("polars", "python"))
    assert re.search(r"str +┆ date +┆ i64 +┆ str", parquet)
    assert parquet.count("2017-10-01") == 4
    assert "list[str]" in text
    assert re.search(r"08 +┆ \[\"Cuzco\"\]", text)
    assert re.search(r"str +┆ str +┆ i64 +┆ list\[str\]", lines)
    assert '["cusco"]' in lines


@pytest.mark.process
def test_pandas(server: str, tmp_path: Path) -> None:
    """Nothing becomes a float, and codes keep their zero."""
    parquet, text, database = (
        run_python(snippet, server, tmp_path) for snippet in blocks("pandas", "python")
    )
    assert re.search(r"peru-ilo +2017-10-01 +<NA> +True", parquet)
    assert re.search(r"1 +08 +PE", text)
    assert re.search(r"2017-10 +True +\[metropolitan-lima", text)
    for column, type_ in (("announced_first", "datetime64"), ("amount", "Int64")):
        assert re.search(rf"{column} +{type_}", database)
    assert re.search(r"has_sub_recipients +boolean", database)


@pytest.mark.process
def test_r(server: str, tmp_path: Path) -> None:
    """Codes are text, days are dates, and amounts are integers though all are null."""
    rscript = needs("Rscript", "it runs the snippets for R")
    base, readr, others = (
        run_code(snippet.code, server, rscript, "-e", folder=tmp_path)
        for snippet in blocks("R", "r")
    )
    assert '"1501" "08"' in base
    assert re.search(r"<chr> +<date> +<int> +<lgl>", readr)
    assert re.search(r"2017-10 +2017-10-01 +NA +TRUE", readr)
    assert re.search(r"2017-10 +metropolitan-lima, cusco, loreto", others)
    assert re.search(r"peru-ilo +2017-10-01 +NA", others)


@pytest.mark.process
def test_datasette(server: str, tmp_path: Path) -> None:
    """The downloaded file opens; test_datasette.py looks at what is shown."""
    needs("curl", "the snippet downloads the database with it")
    (snippet,) = blocks("Datasette", "sh")
    programs = install_environment(FOLDER)
    code = snippet.code.replace("datasette -i", f"{programs / 'datasette'} --get /record.json -i")
    assert '"award_regions"' in run_code(code, server, "sh", "-c", folder=tmp_path)


@pytest.mark.process
def test_qgis_source_opens_in_gdal(server: str) -> None:
    """GDAL opens what is given to QGIS: a layer of polygons with codes as text."""
    snippet, _ = blocks("QGIS and geopandas", "python")
    source = re.search(r'"(/vsicurl/[^"]+)"', snippet.code)
    assert source is not None
    code = f"import pyogrio; print(pyogrio.read_info({source[1]!r}))"
    shown = run_code(code, server, install_environment(FOLDER) / "python", "-c")
    assert "'geometry_type': 'Polygon'" in shown
    assert "'features': 3" in shown


@pytest.mark.process
def test_geopandas(server: str) -> None:
    """The box selects one region, in the reference system of GeoJSON."""
    _, snippet = blocks("QGIS and geopandas", "python")
    shown = run_python(snippet, server)
    assert re.search(r"cusco +08 +POLYGON", shown)
    assert "loreto" not in shown


@pytest.mark.office
def test_libreoffice(server: str, tmp_path: Path) -> None:
    """The code keeps its zero in a spreadsheet."""
    (snippet,) = blocks("LibreOffice and Excel", "sh")
    program, *options = command(tmp_path / "profile")
    code = snippet.code.replace("soffice --headless", " ".join([program, *options]))
    run_code(code, server, "sh", "-c", folder=tmp_path)
    with ZipFile(tmp_path / "regions.ods") as saved:
        assert b"<text:p>08</text:p>" in saved.read("content.xml")


@pytest.mark.node
def test_hyparquet(server: str, tmp_path: Path) -> None:
    """Days are dates, lists are arrays, and null is null."""
    node = needs("node", "it runs hyparquet")
    modules = install_packages(FOLDER, "hyparquet is from npm")
    (tmp_path / "node_modules").symlink_to(modules)
    (snippet,) = blocks("JavaScript", "js")
    shown = run_code(snippet.code, server, node, "--input-type=module", "-e", folder=tmp_path)
    assert "2017-10-01T00:00:00.000Z" in shown
    assert "amount: null" in shown
    assert "'metropolitan-lima', 'cusco', 'loreto'" in shown


@pytest.mark.browser
@pytest.mark.node
def test_hyparquet_in_a_browser(server: str, tmp_path: Path) -> None:
    """The same snippet runs in a page of another origin, which needs HEAD, ranges and CORS."""
    modules = install_packages(FOLDER, "hyparquet is from npm")
    (tmp_path / "node_modules").symlink_to(modules)
    (snippet,) = blocks("JavaScript", "js")
    code = snippet.code.replace(DEFAULT_BASE_URL, server).replace(
        "console.log(awards)", "window.awards = awards"
    )
    imports = '{"imports": {"hyparquet": "/node_modules/hyparquet/src/index.js"}}'
    (tmp_path / "index.html").write_text(
        '<!doctype html><title>Awards</title><link rel="icon" href="data:,">'
        f'<script type="importmap">{imports}</script><script type="module">{code}</script>'
    )
    with (
        serve_directory(tmp_path) as url,
        chromium() as browser,
        visit(browser, url, server) as visited,
    ):
        visited.page.goto("/")
        visited.page.wait_for_function("window.awards")
        visited.assert_clean()
        awards = visited.page.evaluate("JSON.stringify(awards)")
    by_id = {award["id"]: award for award in json.loads(awards)}
    assert by_id["peru-ilo"] == {
        "id": "peru-ilo",
        "announced_first": "2017-10-01T00:00:00.000Z",
        "amount": None,
        "regions": ["metropolitan-lima", "cusco", "loreto"],
    }


def test_linked_files_exist() -> None:
    """Links to other pages lead to files."""
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", PAGE.read_text("utf-8")):
        assert (PAGE.parent / target).resolve().exists(), target
