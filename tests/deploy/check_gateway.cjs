// Checks manifests of the Gateway API, given as JSON on standard input, by the schemas of its CRDs.
const { readFileSync } = require("node:fs");
const models = require("@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1");

let failed = false;
for (const manifest of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    new models[manifest.kind](manifest).validate();
    console.log(`ok ${manifest.kind} ${manifest.metadata.name}`);
  } catch (error) {
    console.log(`${manifest.kind} ${manifest.metadata.name}: ${error.message}`);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
