"""What each program prints: for each reader and way to read, tables as types and rows."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

Table = dict[str, Any]
Read = Callable[[str, str], Table]
"""Takes the address and the name of a table."""


def table(types: Mapping[str, object], rows: Iterable[Mapping[str, Any]]) -> Table:
    """A table as it is printed."""
    return {
        "types": {name: str(type_) for name, type_ in types.items()},
        "rows": [{name: plain(value) for name, value in row.items()} for row in rows],
    }


def plain(value: Any) -> Any:
    """A value as JSON has it; what the library takes for missing is null."""
    if isinstance(value, date):  # and times
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: plain(member) for name, member in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None or isinstance(value, str | int | float):
        return value
    return None if type(value).__name__ in {"NAType", "NaTType"} else str(value)


def main(readers: Mapping[str, tuple[str, Mapping[str, Read]]]) -> None:
    """Read each table in each way: `PROGRAM ADDRESS TABLE...`; prints JSON.

    Args:
        readers: Version of each reader, and its ways to read.
    """
    address, *names = sys.argv[1:]
    found = {
        reader: {
            "version": version,
            "ways": {
                way: {name: read(address, name) for name in names} for way, read in ways.items()
            },
        }
        for reader, (version, ways) in readers.items()
    }
    json.dump(found, sys.stdout)
