#!/usr/bin/env bash
# vega-lite 6.5.0 with vega 6.4.0 (npm): of a bar on a UTC scale, the start is labeled in UTC, the end in local time.
#
# Expected: `scale: {type: "utc"}`, which x2 shares, makes all dates of the bar UTC, in the axis, in the tooltip
# and in the label for screen readers.
# Seen: west of Greenwich, a bar up to midnight in UTC has its start as in the data and its end one day early in the
# same label, while the axis is right. A `timeUnit` with the prefix `utc` for both of them labels both in UTC.
# Output: vega-lite 6.5.0: in Lima, "start: Oct 01, 2017; end: Dec 31, 2020" for 2017-10-01 to 2021-01-01 in UTC
#
# Why a publisher cares: dates without a time are midnight in UTC in JavaScript. Who checks the axis of a timeline
# sees right dates; who listens to it, or points at a bar, is told another end.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
export npm_config_cache=$folder/npm
npm install --ignore-scripts --no-audit --no-fund --prefix . vega@6.4.0 vega-lite@6.5.0 >npm.log 2>&1 ||
    { cat npm.log; exit 1; }

cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert/strict";
import { parse, View } from "vega";
import { compile } from "vega-lite";

// Labels of the only bar and of its axis, as they are in the SVG.
async function labels(start, end) {
  const { spec } = compile({
    data: { values: [{ start: "2017-10-01T00:00:00Z", end: "2021-01-01T00:00:00Z" }] },
    mark: "bar",
    encoding: { x: { field: "start", type: "temporal", ...start }, x2: { field: "end", ...end } },
  });
  const svg = await new View(parse(spec), { renderer: "none" }).toSVG();
  const all = [...svg.matchAll(/aria-label="([^"]*)"/g)].map(([, label]) => label);
  return { bar: all.find((label) => label.startsWith("start")), axis: all.find((label) => label.startsWith("X-axis")) };
}

const utc = { timeUnit: "utcyearmonthdate" };
assert.match((await labels(utc, utc)).bar, /Oct 01, 2017; .*Jan 01, 2021$/);

const { axis, bar } = await labels({ scale: { type: "utc" } }, {});
assert.match(axis, /01 October 2017, .*01 January 2021, 12:00:00 AM UTC/);
const expected = "start: Oct 01, 2017; end: Dec 31, 2020";
if (bar !== expected) {
  console.log(`vega-lite 6.5.0 has changed: in Lima, "${bar}"`);
  process.exit(1);
}
console.log(`vega-lite 6.5.0: in Lima, "${bar}" for 2017-10-01 to 2021-01-01 in UTC`);
JAVASCRIPT
TZ=America/Lima node check.mjs
