// Prints the bibliography of CSL-JSON files in a style: `read_citations.mjs STYLE LOCALE FILE...`
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import citeproc from "citeproc";

const [style, locale, ...files] = process.argv.slice(2);
const items = new Map();
const engine = new citeproc.Engine({
  retrieveLocale: () => readFileSync(locale, "utf-8"),
  retrieveItem: (id) => items.get(id),
}, readFileSync(style, "utf-8"));
engine.setOutputFormat("text");

const found = {};
for (const file of files) {
  const name = basename(file, ".json");
  const ids = JSON.parse(readFileSync(file, "utf-8")).map((item, index) => {
    const id = `${name} ${index}`;
    items.set(id, { ...item, id });
    return id;
  });
  engine.updateItems(ids);
  found[name] = engine.makeBibliography()[1].map((entry) => entry.trim());
}
console.log(JSON.stringify(found));
