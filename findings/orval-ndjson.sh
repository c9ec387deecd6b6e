#!/usr/bin/env bash
# orval 8.38.0 (npm): one NDJSON format among others turns an operation into a stream, its JSON included.
#
# Expected: of a response that is JSON or NDJSON by content negotiation, the client reads the JSON, or at
# least decides by Content-Type; the types say which.
# Seen: the client for fetch reads nothing. Its result has `stream`, `status` and `headers`; `data` is
# undefined for a JSON 200 and for a 422, although the types promise it for both. It compiles strictly.
# Output: "orval 8.38.0: with NDJSON the result has headers, status, stream; without, data, headers, status"
#
# Why a publisher cares: offering a second format breaks clients that never ask for it, at run time only.
# Give generators a document with JSON alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
export npm_config_cache=$folder/npm
npm install --ignore-scripts --no-audit --no-fund --prefix . orval@8.38.0 typescript@5.9.3 \
    >npm.log 2>&1 || { cat npm.log; exit 1; }

cat >check.mjs <<'JAVASCRIPT'
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const page = { type: "object", required: ["data"], properties: { data: { type: "array", items: {} } } };
const problem = { type: "object", required: ["detail"], properties: { detail: { type: "string" } } };
const json = { "application/json": { schema: page } };
const ndjson = { "application/x-ndjson": { schema: { type: "string" } } };

/** The result of a call of the generated client, for a server that sends JSON. */
async function call(name, content, status, body) {
  const responses = {
    200: { description: "A page.", content },
    422: { description: "A problem.", content: { "application/problem+json": { schema: problem } } },
  };
  const document = {
    openapi: "3.1.0",
    info: { title: "Awards", version: "1" },
    paths: { "/awards": { get: { operationId: "listAwards", responses } } },
  };
  writeFileSync(`${name}.json`, JSON.stringify(document));
  const config = { a: { input: `${name}.json`, output: { client: "fetch", target: `${name}.ts` } } };
  writeFileSync("orval.config.mjs", `export default ${JSON.stringify(config)};`);
  execFileSync("npx", ["orval", "--config", "orval.config.mjs"], { stdio: "ignore" });
  execFileSync("npx", ["tsc", "--strict", "--module", "esnext", "--target", "es2022", `${name}.ts`]);
  const headers = { "Content-Type": status === 200 ? "application/json" : "application/problem+json" };
  globalThis.fetch = async () => new Response(JSON.stringify(body), { status, headers });
  const client = await import(pathToFileURL(`${name}.js`));
  return client.listAwards();
}

writeFileSync("package.json", JSON.stringify({ type: "module" }));
const both = await call("both", { ...json, ...ndjson }, 200, { data: [1] });
const failed = await call("failed", { ...json, ...ndjson }, 422, { detail: "No such region." });
const alone = await call("alone", json, 200, { data: [1] });
assert.deepEqual(alone.data, { data: [1] });
const names = (result) => Object.keys(result).sort().join(", ");
assert.equal(names(failed), names(both));
const seen = `with NDJSON the result has ${names(both)}; without, ${names(alone)}`;
if (seen !== "with NDJSON the result has headers, status, stream; without, data, headers, status") {
  console.log(`orval 8.38.0 has changed: ${seen}`);
  process.exit(1);
}
console.log(`orval 8.38.0: ${seen}`);
JAVASCRIPT
node check.mjs
