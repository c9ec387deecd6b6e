#!/usr/bin/env bash
# FastWARC 2.0.1 (PyPI: fastwarc 2.0.1): its own writers put all records into one gzip member.
#
# Expected: `WarcRecord.write` to a `GzipWriter` makes a file in which each record is compressed on its
# own, as the WARC standard recommends (ISO 28500, annex D) and as replay and indexing require.
# Seen: the whole file is one member. FastWARC reads it, so a test with FastWARC alone shows nothing;
# warcio 1.8.1 indexes the first record, then stops and says to compress the file again. `finish` after
# each record ends a member, and the same writer then starts the next one; its description, "Finish
# encoding the stream", does not say that it can be used so.
# Output: "FastWARC 2.0.1: 3 records in 1 member, 1 indexed by warcio 1.8.1; with finish: 3 in 3, 3"
#
# Why a publisher cares: a web archive that reads well here cannot be replayed elsewhere.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check fastwarc==2.0.1 warcio==1.8.1 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >write.py <<'PYTHON'
"""Write three responses in both ways, and count the members of the files."""
import zlib
from pathlib import Path

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

PAGE = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\n<p>A</p>\n"


def write(path, *, finish):
    with path.open("wb") as file:
        writer = GzipWriter(file)
        for number in range(3):
            record = WarcRecord()
            record.init_headers(WarcRecordType.response)
            record.headers["WARC-Target-URI"] = f"https://a.example/{number}"
            record.headers["WARC-Date"] = "2026-11-24T00:00:00Z"
            record.headers["Content-Type"] = "application/http;msgtype=response"
            record.set_bytes_content(PAGE)
            record.write(writer, checksum_data=True)
            if finish:
                writer.finish()
        writer.close()


def members(path):
    content, count = path.read_bytes(), 0
    while content:
        member = zlib.decompressobj(wbits=31)
        member.decompress(content)
        content, count = member.unused_data, count + 1
    return count


for name, finish in (("plain", False), ("finish", True)):
    archive = Path(f"{name}.warc.gz")
    write(archive, finish=finish)
    with archive.open("rb") as file:
        assert sum(1 for _ in ArchiveIterator(file)) == 3
    Path(f"{name}.members").write_text(str(members(archive)))
PYTHON
venv/bin/python write.py

indexed() {
    { venv/bin/warcio index "$1.warc.gz" 2>/dev/null || true; } | grep -c '"warc-target-uri"' || true
}
seen="3 records in $(<plain.members) member, $(indexed plain) indexed by warcio 1.8.1"
seen="$seen; with finish: 3 in $(<finish.members), $(indexed finish)"
expected="3 records in 1 member, 1 indexed by warcio 1.8.1; with finish: 3 in 3, 3"
if [ "$seen" != "$expected" ]; then
    echo "FastWARC 2.0.1 has changed: $seen"
    exit 1
fi
echo "FastWARC 2.0.1: $seen"
