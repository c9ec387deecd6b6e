#!/usr/bin/env bash
# cdxj-indexer 1.5.0 (PyPI: cdxj-indexer 1.5.0, with surt 0.3.1): different resources get one key in the index.
#
# Expected: keys ignore what does not matter in a URL, such as the case of the host; path and query are
# case-sensitive (RFC 3986, 6.2.2.1), so two resources that differ in them have two keys.
# Seen: path and query are put in lower case, and a parameter `sid` is removed with its value if that has
# 32 letters or digits, as a digest or UUID has. A viewer that looks up the key can replay one for the other.
# Output: "cdxj-indexer 1.5.0: 4 resources have 2 keys: example,a)/id/ab example,a)/search"
#
# Why a publisher cares: in an archive of an API with ids in Base64 or mixed case, or with `sid` as a
# parameter, some resources replay as others. Lower-case ids, and other names, avoid it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check cdxj-indexer==1.5.0 surt==0.3.1 \
    warcio==1.8.1 >pip.log 2>&1 || { cat pip.log; exit 1; }

cat >write.py <<'PYTHON'
"""Write four different resources to a WARC file."""
import io

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

URLS = (
    "https://a.example/id/aB",
    "https://a.example/id/Ab",
    f"https://a.example/search?sid={'0' * 31}1",
    f"https://a.example/search?sid={'0' * 31}2",
)

with open("api.warc.gz", "wb") as file:
    writer = WARCWriter(file)
    for url in URLS:
        body = url.encode()
        headers = [("Content-Type", "text/plain")]
        http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        writer.write_record(
            writer.create_warc_record(
                url, "response", payload=io.BytesIO(body), length=len(body), http_headers=http
            )
        )
PYTHON
venv/bin/python write.py
venv/bin/cdxj-indexer api.warc.gz >index.cdxj
keys=$(cut -d' ' -f1 index.cdxj | sort -u)
seen="$(wc -l <index.cdxj) resources have $(wc -l <<<"$keys") keys: ${keys//$'\n'/ }"
expected="4 resources have 2 keys: example,a)/id/ab example,a)/search"
if [ "$seen" != "$expected" ]; then
    echo "cdxj-indexer 1.5.0 has changed: $seen"
    exit 1
fi
echo "cdxj-indexer 1.5.0: $seen"
