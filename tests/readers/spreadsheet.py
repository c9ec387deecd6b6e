"""CSV files in LibreOffice, with the type of each cell."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import needs
from tests.support.programs import run

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_MOST_COLUMNS = 30


def version() -> str:
    """Version of LibreOffice, with three numbers."""
    program = needs("soffice", "it opens the CSV files")
    found = re.search(r"\d+\.\d+\.\d+", run(program, "--version"))
    assert found is not None
    return found[0]


def command(profile: Path) -> list[str]:
    """LibreOffice without a window and with a profile of its own."""
    program = needs("soffice", "it opens the CSV files")
    return [program, f"-env:UserInstallation={profile.as_uri()}", "--headless"]


def read_csv(addresses: list[str], options: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Tables as types and rows, by name of the file: those that LibreOffice opens by address."""
    convert = (f"--infilter={options}", "--convert-to", "fods", "--outdir", folder)
    run(*command(folder / "profile"), *convert, *addresses)
    return {file.stem: _read_sheet(file) for file in folder.glob("*.fods")}


def _read_sheet(file: Path) -> dict[str, Any]:
    document = ET.parse(file)  # noqa: S314 - made by this test
    header, *rows = [list(_cells(row)) for row in document.iter(f"{_TABLE}table-row")]
    names = [value for _, value in header if value]
    items = [dict(zip(names, row, strict=False)) for row in rows if row[0][1] is not None]
    types = {name: " or ".join(sorted({item[name][0] for item in items} - {""})) for name in names}
    values = [{name: value for name, (_, value) in item.items()} for item in items]
    return {"types": {name: type_ or "empty" for name, type_ in types.items()}, "rows": values}


def _cells(row: ET.Element) -> Iterator[tuple[str, Any]]:
    """Type and value of each cell; a cell without content has neither."""
    for cell in row.iter(f"{_TABLE}table-cell"):
        type_ = cell.get(f"{_OFFICE}value-type", "")
        text = "".join(paragraph.text or "" for paragraph in cell.iter(f"{_TEXT}p"))
        repeated = int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
        for _ in range(min(repeated, _MOST_COLUMNS)):
            yield type_, _value(type_, text)


def _value(type_: str, text: str) -> Any:
    match type_:
        case "":
            return None
        case "float":
            return int(text)
        case "boolean":
            return text == "TRUE"
    return text
