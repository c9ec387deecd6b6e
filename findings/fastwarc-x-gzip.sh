#!/usr/bin/env bash
# FastWARC 2.0.1 (PyPI: fastwarc 2.0.1): a response with `Content-Encoding: x-gzip` ends the reading.
#
# Expected: x-gzip is the same as gzip (RFC 9110, 8.4.1.3), so it is decoded; or else only this record
# cannot be read, and the next one can.
# Seen: with `auto_decode="all"`, the iterator raises OSError with a message about a Transfer-Encoding,
# which the response has none of. Decoding record by record instead, the error can be caught, but the
# iterator cannot go on after it, either: it raises "No reader set". All records that follow are lost.
# Output: "FastWARC 2.0.1: Unsupported Transfer-Encoding: x-gzip; then No reader set; 1 of 3 records"
#
# Why a publisher cares: one old server's response in a web archive hides everything captured after it.
# Reading the records without decoding, and decoding a copy of each, avoids it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check fastwarc==2.0.1 warcio==1.8.1 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >read.py <<'PYTHON'
"""Write three responses, the second with x-gzip, and read them in both ways."""
import gzip
import io

from fastwarc.warc import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

PAGE = b"<p>A page</p>"


def archive(coding):
    file = io.BytesIO()
    writer = WARCWriter(file)
    for number in range(3):
        body, headers = PAGE, [("Content-Type", "text/html")]
        if number == 1:
            body, headers = gzip.compress(PAGE), [*headers, ("Content-Encoding", coding)]
        http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        writer.write_record(
            writer.create_warc_record(
                f"https://a.example/{number}", "response",
                payload=io.BytesIO(body), length=len(body), http_headers=http,
            )
        )
    return file.getvalue()


def read_all(coding):
    return [
        record.reader.read()
        for record in ArchiveIterator(io.BytesIO(archive(coding)), auto_decode="all")
    ]


def read_each(coding):
    pages, errors = [], []
    try:
        for record in ArchiveIterator(io.BytesIO(archive(coding)), parse_http=False):
            try:
                record.parse_http(auto_decode="all")
                pages.append(record.reader.read())
            except OSError as error:
                errors.append(str(error))
    except OSError as error:
        errors.append(str(error))
    return pages, errors


assert read_all("gzip") == [PAGE] * 3
assert read_each("gzip") == ([PAGE] * 3, [])
try:
    read_all("x-gzip")
    print("no error")
except OSError as error:
    pages, errors = read_each("x-gzip")
    assert errors[0] == str(error)
    print(f"{error}; then {errors[-1]}; {len(pages)} of 3 records")
PYTHON
seen=$(venv/bin/python read.py)
expected="Unsupported Transfer-Encoding: x-gzip; then No reader set; 1 of 3 records"
if [ "$seen" != "$expected" ]; then
    echo "FastWARC 2.0.1 has changed: $seen"
    exit 1
fi
echo "FastWARC 2.0.1: $seen"
