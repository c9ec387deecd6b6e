#!/usr/bin/env bash
# wacz 0.6.0 (PyPI: wacz 0.6.0): `--detect-pages` finds no page unless another request has it as its Referer.
#
# Expected: the pages of an archive are detected by what they are, such as successful responses in HTML.
# Seen: the one HTML response is a page if the request for its style sheet names it in `Referer`. Without that
# header, no page is found, and the WACZ file has no list of pages (pages/pages.jsonl) at all; the exit code
# is 0 all the same.
# Output: "wacz 0.6.0: with Referer 1 page and pages.jsonl, without 0 pages and no pages.jsonl"
#
# Why a publisher cares: browsers and crawlers send no Referer for a site with `Referrer-Policy: no-referrer`,
# so a viewer opens the archive of such a site to an empty list. `wacz create --url` names the page.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/python -m pip install -q --disable-pip-version-check wacz==0.6.0 warcio==1.8.1 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >write.py <<'PYTHON'
"""Write a page and its style sheet, once with a Referer and once without."""
import io

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

PAGE = "https://a.example/"
RESPONSES = (
    (PAGE, "text/html", b"<!DOCTYPE html><link rel=stylesheet href=style.css><p>A page</p>"),
    (f"{PAGE}style.css", "text/css", b"p { color: black }"),
)

for name in ("with", "without"):
    with open(f"{name}.warc.gz", "wb") as file:
        writer = WARCWriter(file)
        for url, media_type, body in RESPONSES:
            line = f"GET {url.removeprefix('https://a.example')} HTTP/1.1"
            sent = [("Host", "a.example")]
            if url != PAGE and name == "with":
                sent.append(("Referer", PAGE))
            request = StatusAndHeaders(line, sent, is_http_request=True)
            headers = [("Content-Type", media_type)]
            response = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
            writer.write_request_response_pair(
                writer.create_warc_record(url, "request", http_headers=request),
                writer.create_warc_record(
                    url, "response",
                    payload=io.BytesIO(body), length=len(body), http_headers=response,
                ),
            )
PYTHON
venv/bin/python write.py

describe() {
    venv/bin/wacz create --detect-pages --output "$1.wacz" "$1.warc.gz" >wacz.log
    pages=$(sed -n 's/^Num Pages Detected: //p' wacz.log)
    python3 -m zipfile --list "$1.wacz" >files
    if grep -q '^pages/pages.jsonl' files; then
        echo "$pages page and pages.jsonl"
    else
        echo "$pages pages and no pages.jsonl"
    fi
}
seen="with Referer $(describe with), without $(describe without)"
expected="with Referer 1 page and pages.jsonl, without 0 pages and no pages.jsonl"
if [ "$seen" != "$expected" ]; then
    echo "wacz 0.6.0 has changed: $seen"
    exit 1
fi
echo "wacz 0.6.0: $seen"
