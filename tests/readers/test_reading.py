"""Programs read the exports and the lists by address: with which types, and which values."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.archive.archive import COLLECTIONS
from tests.conftest import ROOT, needs
from tests.readers import spreadsheet
from tests.readers.comparison import as_stored, as_text, compare, flat_value, is_same
from tests.readers.page import check_types
from tests.support.environments import install_environment
from tests.support.npm import install_packages
from tests.support.programs import run
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

pytestmark = pytest.mark.process

AREA = "readers"
FOLDER = ROOT / "tests" / "readers"
PROGRAMS = FOLDER / "programs"
SAMPLE_COLUMNS = (
    ("regions", "inei_ubigeo"),
    ("awards", "announced"),
    ("partnerships", "signed"),
    ("awards", "announced_first"),
    ("awards", "has_sub_recipients"),
    ("regions", "aliases"),
    ("awards", "amount"),
)
"""Tables and columns of the table of types, in its order."""
SAMPLES = sorted({name for name, _ in SAMPLE_COLUMNS})
TEXT_COLUMNS = "/".join(f"{number}/2" for number in range(1, 30))
"""Options of LibreOffice to import columns as text (2)."""

Json = dict[str, Any]
Readers = dict[str, Json]
"""For each reader its `version`, and its `ways` to read: tables by name."""


@cache
def run_python(program: str, server: str, *tables: str, lock: str = "requirements.txt") -> Readers:
    """What a program prints in the environment of a lock file."""
    python = install_environment(FOLDER, lock=lock) / "python"
    return read(python, PROGRAMS / program, server, *tables)


def read(*command: object) -> Readers:
    """What a program prints."""
    printed: Readers = json.loads(run(*command))
    return printed


@cache
def read_in_r(server: str) -> Readers:
    """What R reads."""
    rscript = needs("Rscript", "it reads tables in R")
    return read(rscript, PROGRAMS / "read_tables.R", server, *SAMPLES)


def read_in_libreoffice(server: str, folder: Path) -> Readers:
    """What LibreOffice reads, by default and with the codes as text."""
    addresses = [f"{server}/v1/exports/{name}.csv" for name in SAMPLES]
    options = {"CSV": "CSV:44,34,76,1", "CSV, type Text": f"CSV:44,34,76,1,{TEXT_COLUMNS}"}
    ways = {
        way: spreadsheet.read_csv(addresses, option, folder / str(number))
        for number, (way, option) in enumerate(options.items())
    }
    return {"LibreOffice": {"version": spreadsheet.version(), "ways": ways}}


def read_in_javascript(server: str, *tables: str) -> Readers:
    """What hyparquet reads."""
    node = needs("node", "it runs hyparquet")
    install_packages(FOLDER, "hyparquet is from npm")
    return read(node, PROGRAMS / "read_hyparquet.mjs", server, *tables)


def describe(way: str, tables: Json, record: dict[str, list[Json]]) -> list[str]:
    """A row of the table of types.

    A cell has the type that the reader gave the column; and in bold, what became of a value that
    is no longer as it is in the record.
    """
    return [way, *(_cell(tables, name, column, record) for name, column in SAMPLE_COLUMNS)]


def _cell(tables: Json, name: str, column: str, record: dict[str, list[Json]]) -> str:
    table = tables.get(name, {"types": {}})
    if column not in table["types"]:
        return ""
    documents = {document["id"]: document for document in record[name]}
    changed = []
    for row in sorted(table["rows"], key=lambda row: str(row["id"])):
        value = row.get(column)
        expected = flat_value(documents[row["id"]], column)
        if not is_same(value, expected):
            changed.append(json.dumps(value))
    return " ".join(
        [table["types"][column], *(f"**`{value}`**" for value in dict.fromkeys(changed))]
    )


SOURCES: dict[str, Callable[[str], list[Readers]]] = {
    "DuckDB": lambda server: [
        run_python("read_duckdb.py", server, *COLLECTIONS),
        run_python("read_duckdb.py", server, *COLLECTIONS, lock="others.txt"),
    ],
    "polars": lambda server: [run_python("read_polars.py", server, *COLLECTIONS)],
    "pandas": lambda server: [run_python("read_pandas.py", server, *COLLECTIONS)],
    "R": lambda server: [read_in_r(server)],
    "GDAL": lambda server: [run_python("read_regions.py", server, "regions")],
    "hyparquet": lambda server: [read_in_javascript(server, *COLLECTIONS)],
}
_NOT_IN_THE_TABLE = {"geopandas"}
_AS_TEXT = {"CSV, `all_varchar`", "CSV, `infer_schema=False`"}
"""Ways in which every column is text: for values, not for types."""


@pytest.mark.node
@pytest.mark.parametrize("source", SOURCES)
def test_types(server: str, record: dict[str, list[Json]], source: str) -> None:
    """The table of types says what each program makes of the same values."""
    rows: dict[str, list[list[str]]] = {}
    for readers in SOURCES[source](server):
        for reader, found in readers.items():
            rows.setdefault(reader, []).extend(type_rows(reader, found, record))
    for reader in rows.keys() - _NOT_IN_THE_TABLE:
        check_types(reader, rows[reader])


@pytest.mark.office
def test_types_in_libreoffice(server: str, record: dict[str, list[Json]], tmp_path: Path) -> None:
    """The table of types says which cells LibreOffice changes."""
    ((reader, found),) = read_in_libreoffice(server, tmp_path).items()
    check_types(reader, type_rows(reader, found, record))
    check_csv(reader, found, "CSV, type Text", record)


def type_rows(reader: str, found: Json, record: dict[str, list[Json]]) -> list[list[str]]:
    """Rows of the table of types for a reader."""
    label = f"{reader} {found['version']}"
    return [
        [label, *describe(way, tables, record)]
        for way, tables in found["ways"].items()
        if way not in _AS_TEXT
    ]


PARQUET = {
    "DuckDB": "Parquet",
    "polars": "Parquet",
    "pandas": 'Parquet, `dtype_backend="pyarrow"`',
    "hyparquet": "Parquet",
}
"""Readers of all Parquet files, and the way that keeps types."""


@pytest.mark.node
@pytest.mark.parametrize("reader", PARQUET)
def test_parquet_has_the_record(server: str, record: dict[str, list[Json]], reader: str) -> None:
    """Every value in every Parquet file is that of the API, with its type."""
    found = SOURCES[reader](server)[0][reader]
    tables = found["ways"][PARQUET[reader]]
    assert set(tables) == set(record)
    rows = compare(tables, record, lambda value: value)
    done = f"read {files_read(tables)} as Parquet by address"
    check_outcome(AREA, reader, found["version"], done, f"{rows} rows, every value as in the API")


CSV = {
    "DuckDB": "CSV, `all_varchar`",
    "polars": "CSV, `infer_schema=False`",
    "pandas": "CSV, `dtype=str`",
    "R": "CSV, `colClasses`, `na.strings`",
    "readr": "CSV, `col_types`",
}
"""Readers of CSV, and the way that leaves all cells as they are."""


@pytest.mark.parametrize("reader", CSV)
def test_csv_has_the_record(server: str, record: dict[str, list[Json]], reader: str) -> None:
    """Every value in every CSV file is that of the API, as text."""
    check_csv(reader, SOURCES.get(reader, SOURCES["R"])(server)[0][reader], CSV[reader], record)


def check_csv(reader: str, found: Json, way: str, record: dict[str, list[Json]]) -> None:
    """Compare CSV files that were read without types, and note the outcome."""
    tables = found["ways"][way]
    rows = compare(tables, record, as_text)
    done = f"read {files_read(tables)} as CSV by address, with {way.removeprefix('CSV, ')}"
    check_outcome(AREA, reader, found["version"], done, f"{rows} rows, every cell as sent")


NDJSON = {
    "DuckDB": "NDJSON",
    "polars": "NDJSON, `infer_schema_length=None`",
    "pandas": "NDJSON, `dtype=False`",
    "jsonlite": "NDJSON",
}
"""Readers of NDJSON, and the way that keeps values."""


@pytest.mark.parametrize("reader", NDJSON)
def test_ndjson_has_the_record(server: str, record: dict[str, list[Json]], reader: str) -> None:
    """Values in lists as NDJSON are those of the API."""
    found = SOURCES.get(reader, SOURCES["R"])(server)[0][reader]
    tables = {name: found["ways"][NDJSON[reader]][name] for name in SAMPLES}
    rows = compare(tables, record, lambda value: value)
    done = f"read {files_read(tables)} as NDJSON by address"
    check_outcome(AREA, reader, found["version"], done, f"{rows} rows, every value as in the API")


def test_database_has_the_record(server: str, record: dict[str, list[Json]]) -> None:
    """Values in the database, attached by address, are those of the API; booleans are 1 and 0."""
    found = SOURCES["DuckDB"](server)[1]["DuckDB"]
    tables = found["ways"]["SQLite"]
    assert set(tables) == set(record)
    rows = compare(tables, record, as_stored)
    outcome = f"{rows} rows, every value as in the API, booleans as 1 and 0"
    check_outcome(AREA, "DuckDB 1", found["version"], "attach `record.sqlite` by address", outcome)


def files_read(tables: Json) -> str:
    """How many files were read, in words."""
    return f"{len(tables)} collections"


def test_geoparquet_has_the_outlines(server: str) -> None:
    """Outlines in GeoParquet are those of the GeoJSON file, and a box selects some of them."""
    (readers,) = SOURCES["GDAL"](server)
    geopandas, gdal = readers["geopandas"], readers["GDAL"]
    outlines = {
        way: {row["id"]: row["geometry"] for row in found["regions"]["rows"]}
        for way, found in (geopandas["ways"] | gdal["ways"]).items()
    }
    assert outlines["GeoParquet"] == outlines["GeoJSON"]
    assert list(outlines["GeoParquet, `bbox`"]) == ["cusco"]
    (system,) = {row["crs"] for row in geopandas["ways"]["GeoParquet"]["regions"]["rows"]}
    (other,) = {row["crs"] for row in gdal["ways"]["GeoJSON"]["regions"]["rows"]}
    count = len(outlines["GeoParquet"])
    same = f"{count} outlines, the same as in `regions.geojson`; {system}; a box selects one"
    check_outcome(
        AREA, "geopandas", geopandas["version"], "read `regions.parquet` by address", same
    )
    shown = f"{count} outlines in {other}, codes as text"
    check_outcome(
        AREA, "GDAL", gdal["version"], "read `regions.geojson` by address, as QGIS does", shown
    )


def test_geoparquet_is_valid(server: str, tmp_path: Path) -> None:
    """The validator of GeoParquet passes all tests that apply to the file."""
    validator = install_environment(FOLDER) / "geoparquet-validator"
    file = tmp_path / "regions.parquet"
    file.write_bytes(fetch(f"{server}/v1/exports/regions.parquet").raise_for_status().content)
    report = run(validator, "check", file)
    results = re.findall(r"^  => (\w+): (\d+) pass, (\d+) fail", report, re.MULTILINE)
    assert {name for name, *_ in results} == {"core", "covering", "distribution"}
    passed, failed = (sum(int(result[index]) for result in results) for index in (1, 2))
    version = run(validator, "--version").split()[-1]
    outcome = f"GeoParquet 1.1: {passed} tests passed, {failed} failed"
    check_outcome(AREA, "geoparquet-validator", version, "check of `regions.parquet`", outcome)
