"""Read an IATI file, named on the command line, with each program; write what they say as JSON.

Run in the environment of ../requirements.txt.
"""

from __future__ import annotations

import contextlib
import csv
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from exchangerates import CurrencyConverter
from iatiflattener import model
from iatikit.data.dataset import Dataset
from lxml import etree
from okfn_iati import IatiMultiCsvConverter, IatiValidator

Json = dict[str, Any]


def read_with_iatikit(path: Path) -> Json:
    """Start and end of each activity by its identifier."""
    activities = Dataset(str(path)).activities
    return {item.iati_identifier: [str(item.start), str(item.end)] for item in activities}


def read_with_okfn(path: Path) -> Json:
    """Errors by schema and rules, also of the file that its CSV gives again; and its tables."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        again = Path(folder, "again.xml")
        IatiMultiCsvConverter().xml_to_csv_folder(str(path), folder)
        IatiMultiCsvConverter().csv_folder_to_xml(folder, str(again))
        return {
            "valid": IatiValidator().validate(path.read_text("utf-8")),
            "valid again": IatiValidator().validate(again.read_text("utf-8")),
            "tables": {file.stem: rows_of(file) for file in sorted(Path(folder).glob("*.csv"))},
        }


def rows_of(file: Path) -> list[Json]:
    """The rows of a CSV file, without empty cells."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [{name: value for name, value in row.items() if value} for row in rows]


def read_with_iatiflattener(path: Path) -> list[Json]:
    """The rows of its table of transactions, with fixed rates."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as rates:
        rates.write("Date,Rate,Currency\n2017-10-01,3.26,PEN\n2017-10-01,0.85,EUR\n")
        rates.flush()
        converter = CurrencyConverter(update=False, source=rates.name)
    cache = model.ActivityCache()
    rows: list[Json] = []
    for node in etree.parse(path).iter("transaction"):
        transaction = model.Transaction(node.getparent(), node, cache, converter, {"PE": "PEN"})
        transaction.generate()
        rows += (dict(row) for row in model.FlatTransaction(transaction).flatten())
    return rows


if __name__ == "__main__":
    file = Path(sys.argv[1])
    names = ("iatikit", "okfn-iati", "iatiflattener")
    seen = {
        "versions": {name: version(name) for name in names},
        "iatikit": read_with_iatikit(file),
        "okfn-iati": read_with_okfn(file),
        "iatiflattener": read_with_iatiflattener(file),
    }
    json.dump(seen, sys.stdout, default=str)
