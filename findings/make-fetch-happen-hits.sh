#!/usr/bin/env bash
# make-fetch-happen 16.0.1 (npm): a hit has other headers than the response that was stored.
#
# Expected: a response from the cache has the headers of the one that was stored, and an Age. What says
# how the stored bytes are coded fits them.
# Seen: only a dozen well-known headers are kept; the publisher's own are gone on every hit, as are
# Content-Disposition, Repr-Digest and Access-Control-*. The content is stored decoded: a hit
# still says `Content-Encoding: gzip`, with a Content-Length that is that of the plain text.
# Output: make-fetch-happen 16.0.1: a hit has lost Access-Control-Allow-Origin, Content-Disposition,
#   Release, Repr-Digest; Content-Encoding gzip with the length of the plain text
#
# Why a publisher cares: clients that read the release, a digest or a file name from the headers work when
# tried out and fail from the second run on, without any change of the server.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
export npm_config_cache=$folder/npm
npm install --no-audit --no-fund --prefix . make-fetch-happen@16.0.1 >npm.log 2>&1 ||
    { cat npm.log; exit 1; }

cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
import makeFetchHappen from "make-fetch-happen";

const text = "id,title\n" + "1,award\n".repeat(100);
const zipped = gzipSync(text);
const headers = {
  "Access-Control-Allow-Origin": "*",
  "Cache-Control": "public, max-age=3600",
  "Content-Disposition": 'attachment; filename="awards.csv"',
  "Content-Encoding": "gzip",
  "Content-Length": zipped.length,
  "Content-Type": "text/csv",
  "ETag": '"1"',
  "Link": '</awards?page=2>; rel="next"',
  "Release": "1",
  "Repr-Digest": `sha-256=:${createHash("sha256").update(zipped).digest("base64")}:`,
  "Vary": "Accept-Encoding",
};
let served = 0;
const publisher = createServer((_, response) => {
  served += 1;
  response.writeHead(200, headers).end(zipped);
});
await new Promise((ready) => publisher.listen(0, "127.0.0.1", ready));
const fetch = makeFetchHappen.defaults({ cachePath: "./stored" });
const url = `http://127.0.0.1:${publisher.address().port}/awards.csv`;

const first = await fetch(url);
assert.equal(await first.text(), text);
const hit = await fetch(url);
assert.equal(await hit.text(), text);
assert.equal(served, 1);
assert.equal(hit.headers.get("x-local-cache-status"), "hit");
publisher.close();
publisher.closeAllConnections();

for (const [name, value] of Object.entries(headers)) {
  assert.equal(first.headers.get(name), String(value));
}
const lost = Object.keys(headers).filter((name) => !hit.headers.has(name));
const coding = hit.headers.get("content-encoding");
const measured = Number(hit.headers.get("content-length")) === text.length ? "plain" : "coded";
const seen = `lost ${lost.join(", ")}; Content-Encoding ${coding} with the length of the ${measured} text`;
const expected = "lost Access-Control-Allow-Origin, Content-Disposition, Release, Repr-Digest;" +
  " Content-Encoding gzip with the length of the plain text";
if (seen !== expected) {
  console.log(`make-fetch-happen 16.0.1 has changed: ${seen}`);
  process.exit(1);
}
console.log(`make-fetch-happen 16.0.1: a hit has ${seen}`);
JAVASCRIPT
node check.mjs
