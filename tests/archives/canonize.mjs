// Prints the canonical form of a JSON-LD file: `canonize.mjs FILE CONTEXT-URL CONTEXT-FILE`.

import { readFile } from "node:fs/promises";
import jsonld from "jsonld";

const [path, contextUrl, contextPath] = process.argv.slice(2);
const read = async (file) => JSON.parse(await readFile(file, "utf8"));
const context = await read(contextPath);

const documentLoader = async (url) => {
  if (url !== contextUrl) throw new Error(`not available offline: ${url}`);
  return { contextUrl: null, documentUrl: url, document: context };
};

const options = { algorithm: "RDFC-1.0", format: "application/n-quads", safe: true, documentLoader };
process.stdout.write(await jsonld.canonize(await read(path), options));
