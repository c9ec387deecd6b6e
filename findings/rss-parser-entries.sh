#!/usr/bin/env bash
# rss-parser 3.13.0 (npm): an Atom entry's link is the first one of any type, and its only date is the first.
#
# Expected: of an entry with an alternate for programs and one for people, the link is the page; an entry
# that was edited has the date of its last change somewhere.
# Seen: the link is the first alternate, here JSON, whatever its type says. `pubDate` and `isoDate` are
# both `published`; `updated` is in no field.
# Output: rss-parser 3.13.0: the link is https://data.example/releases/2.json, the dates are 2026-11-01
#
# Why a publisher cares: people who click get JSON, and an edited entry looks unchanged. Put the page
# first, and announce a change as a new entry.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
export npm_config_cache=$folder/npm
npm install --no-audit --no-fund --prefix . rss-parser@3.13.0 >npm.log 2>&1 || { cat npm.log; exit 1; }

cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert/strict";
import Parser from "rss-parser";

const home = "https://data.example/releases";
const feed = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<id>tag:data.example,2026:releases</id>
<title>Releases</title>
<updated>2026-11-24T00:00:00Z</updated>
<author><name>An Office</name></author>
<link href="${home}"/>
<entry>
<id>tag:data.example,2026:2</id>
<title>Release 2</title>
<published>2026-11-01T00:00:00Z</published>
<updated>2026-11-24T00:00:00Z</updated>
<link rel="alternate" type="application/json" href="${home}/2.json"/>
<link rel="alternate" type="text/html" href="${home}/2"/>
</entry>
</feed>`;
const { items } = await new Parser().parseString(feed);
assert.equal(items.length, 1);
assert.equal(items[0].title, "Release 2");
const dates = JSON.stringify(items[0]).match(/\d{4}-\d{2}-\d{2}/g);
const seen = `the link is ${items[0].link}, the dates are ${[...new Set(dates)].join(", ")}`;
const expected = `the link is ${home}/2.json, the dates are 2026-11-01`;
if (seen !== expected) {
  console.log(`rss-parser 3.13.0 has changed: ${seen}`);
  process.exit(1);
}
console.log(`rss-parser 3.13.0: ${seen}`);
JAVASCRIPT
node check.mjs
