#!/usr/bin/env bash
# @recogito/text-annotator 4.1.1 (npm): a position outweighs the quote, and saving spoils the quote.
#
# Expected: of a W3C annotation with a quote and a position, the quote is at least compared with the
# words at the position, since pages change; and an annotation that was only loaded is saved as it was.
# Seen: the words at the position are marked, without a warning. Saved again, the annotation has the old
# `exact` between the `prefix` and `suffix` of the marked words: a passage that stands nowhere on the
# page. What told equal words apart is lost.
# Output: 'text-annotator 4.1.1 marks "partnership", saves "In 2017 a [award] was signe"'
#
# Why a publisher cares: annotations made on an extracted text show other words on the web page, and one
# round trip leaves neither a right position nor a quote that can be found. Positions belong only to the
# text that they count; docs/annotations.md has a way to find them by quote.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts @recogito/text-annotator@4.1.1 \
    jsdom@26.1.0 >npm.log 2>&1 || { cat npm.log; exit 1; }

cat >load.mjs <<'JAVASCRIPT'
// Load an annotation whose position belongs to another text of the page, and save it again.
import { JSDOM } from "jsdom";

const page = "<main><p>In 2017 a partnership was signed.</p><p>In 2018 an award was announced.</p></main>";
const { window } = new JSDOM(page);
for (const name of ["document", "NodeFilter", "Range"]) globalThis[name] = window[name];
globalThis.window = window;
const { reviveAnnotation, W3CTextFormat } = await import("@recogito/text-annotator");

function shown(start, end) {
  const main = document.querySelector("main");
  const format = W3CTextFormat("https://record.example/page", main);
  const { parsed, error } = format.parse({
    "@context": "http://www.w3.org/ns/anno.jsonld",
    id: "https://record.example/annotation",
    type: "Annotation",
    body: [],
    target: {
      source: "https://record.example/page",
      selector: [
        { type: "TextQuoteSelector", exact: "award", prefix: "an ", suffix: " was" },
        { type: "TextPositionSelector", start, end },
      ],
    },
  });
  if (error) throw error;
  const loaded = reviveAnnotation(parsed, main);
  const [quote] = format.serialize(loaded).target[0].selector;
  const saved = `${quote.prefix}[${quote.exact}]${quote.suffix}`;
  return `marks "${loaded.target.selector[0].range}", saves "${saved}"`;
}

const start = document.querySelector("main").textContent.indexOf("award");
const right = shown(start, start + "award".length);
if (!right.startsWith('marks "award", saves "') || !right.includes("an [award] was"))
  throw new Error(right);
console.log(shown(10, 21));
JAVASCRIPT
seen=$(node load.mjs)
expected='marks "partnership", saves "In 2017 a [award] was signe"'
if [ "$seen" != "$expected" ]; then
    echo "text-annotator 4.1.1 has changed: $seen"
    exit 1
fi
echo "text-annotator 4.1.1 $seen"
