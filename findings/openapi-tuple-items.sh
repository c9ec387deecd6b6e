#!/usr/bin/env bash
# @hey-api/openapi-ts 0.99.0 and orval 8.38.0 (npm): `items` beside `prefixItems` changes or breaks a tuple.
#
# Expected: an array of exactly two, given by `prefixItems`, minItems and maxItems, is the tuple [A, B] in
# TypeScript. An `items` beside it, for tools that read nothing else, cannot apply to any member.
# Seen: if `items` refers to a schema with both alternatives, the first writes a tuple of three. If the
# alternatives are in line, that one writes two, but the second writes `...A | B[]`, which is no TypeScript.
# Both report success.
# Output: "hey-api: [A, B] in line, [A, B, Either] by reference; orval: [A, B, ...A | B[]] in line,
#   [A, B, ...Either[]] by reference; without items both [A, B]"
#
# Why a publisher cares: linters and some clients want the `items`, so a document cannot suit them and these
# generators at once. Give generators a document without it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
export npm_config_cache=$folder/npm
npm install --ignore-scripts --no-audit --no-fund --prefix . @hey-api/openapi-ts@0.99.0 orval@8.38.0 \
    typescript@5.9.3 >npm.log 2>&1 || { cat npm.log; exit 1; }

cat >check.mjs <<'JAVASCRIPT'
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const refer = (name) => ({ $ref: `#/components/schemas/${name}` });
const alternatives = { anyOf: [refer("A"), refer("B")] };
const part = (name) => ({
  type: "object",
  required: ["type"],
  properties: { type: { type: "string", const: name } },
});

function document(items) {
  const pair = { type: "array", minItems: 2, maxItems: 2, prefixItems: alternatives.anyOf };
  const content = { "application/json": { schema: refer("Pair") } };
  const get = { operationId: "getPair", responses: { 200: { description: "A pair.", content } } };
  return {
    openapi: "3.1.0",
    info: { title: "Pairs", version: "1" },
    paths: { "/pair": { get } },
    components: {
      schemas: {
        A: part("A"),
        B: part("B"),
        Either: alternatives,
        Pair: {
          type: "object",
          required: ["parts"],
          properties: { parts: { ...pair, ...(items && { items }) } },
        },
      },
    },
  };
}

/** The type that a generator writes for the array, on one line. */
function tuple(file) {
  const [, type] = readFileSync(file, "utf8").match(/parts: (\[[^;]*\]);/);
  return type.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]");
}

const seen = { hey: {}, orval: {} };
for (const [name, items] of Object.entries({ none: null, inline: alternatives, ref: refer("Either") })) {
  writeFileSync(`${name}.json`, JSON.stringify(document(items)));
  const config = { a: { input: `${name}.json`, output: { client: "fetch", target: `${name}.ts` } } };
  writeFileSync("orval.config.mjs", `export default ${JSON.stringify(config)};`);
  const quiet = { stdio: "ignore" };
  execFileSync("npx", ["openapi-ts", "-i", `${name}.json`, "-o", name], quiet);
  execFileSync("npx", ["orval", "--config", "orval.config.mjs"], quiet);
  seen.hey[name] = tuple(`${name}/types.gen.ts`);
  seen.orval[name] = tuple(`${name}.ts`);
}
writeFileSync("broken.ts", `interface A {}\ninterface B {}\nexport type Parts = ${seen.orval.inline};\n`);
let compiles = true;
try {
  execFileSync("npx", ["tsc", "--noEmit", "broken.ts"], { stdio: "ignore" });
} catch {
  compiles = false;
}
const text =
  `hey-api: ${seen.hey.inline} in line, ${seen.hey.ref} by reference; ` +
  `orval: ${seen.orval.inline} in line, ${seen.orval.ref} by reference; ` +
  `without items ${seen.hey.none === seen.orval.none ? "both " : ""}${seen.hey.none}`;
const expected =
  "hey-api: [A, B] in line, [A, B, Either] by reference; " +
  "orval: [A, B, ...A | B[]] in line, [A, B, ...Either[]] by reference; without items both [A, B]";
if (text !== expected || compiles) {
  console.log(`They have changed: ${text}; compiles: ${compiles}`);
  process.exit(1);
}
console.log(text);
JAVASCRIPT
node check.mjs
