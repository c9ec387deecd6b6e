"""Print the rows of each table of a CSVW description as JSON: read_csvw.py DESCRIPTION."""

import json
import sys

from csvw import CSVW

description = CSVW(sys.argv[1], validate=True)
tables = {table.local_name: list(table.iterdicts()) for table in description.tables}
json.dump({"valid": description.is_valid, "tables": tables}, sys.stdout, default=str)
