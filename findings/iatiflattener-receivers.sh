#!/usr/bin/env bash
# iatiflattener 0.10.12 (PyPI): a sum without a receiver is received by every implementer.
#
# Expected: a commitment of a whole activity that has two implementing organizations, but no `receiver-org`,
# has no receiver in the flat table.
# Seen: the row names both implementers in one cell, separated by a semicolon, and so are their types. A
# receiver that is stated replaces them.
# Output: iatiflattener 0.10.12: receiver "School; Clinic" (24; 40) of a sum without one, "School" if stated
#
# Why a publisher cares: leaving out what the source does not say looks like a statement in the table, and a
# sum that is added up for each name in the cell is counted twice.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check iatiflattener==0.10.12 \
    >pip.log 2>&1 || { cat pip.log; exit 1; }

printf 'Date,Rate,Currency\n2020-01-01,0.9,EUR\n2020-01-01,3.3,PEN\n' >rates.csv
cat >check.py <<'PYTHON'
import sys

from exchangerates import CurrencyConverter
from iatiflattener import model
from lxml import etree

ACTIVITY = """
<iati-activity xml:lang="en">
  <iati-identifier>XX-1-water</iati-identifier>
  <reporting-org ref="XX-1" type="10"><narrative>Office</narrative></reporting-org>
  <title><narrative>Water</narrative></title>
  <participating-org role="1" type="10"><narrative>Office</narrative></participating-org>
  <participating-org role="4" type="24"><narrative>School</narrative></participating-org>
  <participating-org role="4" type="40"><narrative>Clinic</narrative></participating-org>
  <activity-date type="2" iso-date="2020-01-01"/>
  <recipient-country code="PE"/>
  <sector code="14030" vocabulary="1"/>
  <transaction>
    <transaction-type code="2"/>
    <transaction-date iso-date="2020-01-01"/>
    <value currency="USD" value-date="2020-01-01">100</value>
    <provider-org type="10"><narrative>Office</narrative></provider-org>RECEIVER
  </transaction>
</iati-activity>
"""
RATES = CurrencyConverter(update=False, source="rates.csv")


def receivers(receiver):
    activity = etree.fromstring(ACTIVITY.replace("RECEIVER", receiver))
    node = activity.find("transaction")
    transaction = model.Transaction(activity, node, model.ActivityCache(), RATES, {"PE": "PEN"})
    transaction.generate()
    [row] = model.FlatTransaction(transaction).flatten()
    assert row["value_usd"] == 100
    return row["receiver_org#en"], row["receiver_org_type"]


stated = '<receiver-org type="24"><narrative>School</narrative></receiver-org>'
seen = [receivers(""), receivers(stated)]
if seen != [("School; Clinic", "24; 40"), ("School", "24")]:
    sys.exit(f"iatiflattener has changed: {seen}")
print('iatiflattener 0.10.12: receiver "School; Clinic" (24; 40) of a sum without one, "School" if stated')
PYTHON
venv/bin/python check.py
