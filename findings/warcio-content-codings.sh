#!/usr/bin/env bash
# warcio 1.8.1 (PyPI: warcio 1.8.1) with brotli 1.2.1: of the content codings of today, only gzip is decoded.
#
# Expected: `content_stream()` gives the content of a captured response, decoded, or raises an error that names
# the coding, whichever of the codings it is that browsers and archives ask servers for.
# Seen: zstd comes as it is stored, without a word; x-gzip, which is gzip (RFC 9110, 8.4.1.3), too; and
# Brotli raises AttributeError, because the package of that name has no attribute that is read.
# Output: "warcio 1.8.1: gzip decoded, x-gzip as stored, br AttributeError, zstd as stored"
#
# Why a publisher cares: whoever archives an API or page that is served in Brotli or zstd gets an archive
# from which indexes of text, and checks by other tools, see binary data. Requests for
# `Accept-Encoding: gzip` while archiving avoid it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check warcio==1.8.1 brotli==1.2.1 \
    zstandard==0.25.0 >pip.log 2>&1 || { cat pip.log; exit 1; }

cat >read.py <<'PYTHON'
"""Write a response in each content coding, and read it back."""
import gzip
import io

import brotli
import zstandard
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

PAGE = b"<p>A page</p>"
STORED = {
    "gzip": gzip.compress(PAGE),
    "x-gzip": gzip.compress(PAGE),
    "br": brotli.compress(PAGE),
    "zstd": zstandard.compress(PAGE),
}


def read(coding, body):
    file = io.BytesIO()
    writer = WARCWriter(file)
    headers = [("Content-Type", "text/html"), ("Content-Encoding", coding)]
    http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
    writer.write_record(
        writer.create_warc_record(
            "https://a.example/", "response",
            payload=io.BytesIO(body), length=len(body), http_headers=http,
        )
    )
    file.seek(0)
    try:
        [content] = [record.content_stream().read() for record in ArchiveIterator(file)]
    except AttributeError as error:
        return type(error).__name__
    return {PAGE: "decoded", body: "as stored"}[content]


print(", ".join(f"{coding} {read(coding, body)}" for coding, body in STORED.items()))
PYTHON
seen=$(venv/bin/python read.py)
expected="gzip decoded, x-gzip as stored, br AttributeError, zstd as stored"
if [ "$seen" != "$expected" ]; then
    echo "warcio 1.8.1 has changed: $seen"
    exit 1
fi
echo "warcio 1.8.1: $seen"
