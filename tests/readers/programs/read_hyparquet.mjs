// Read tables in JavaScript: `node read_hyparquet.mjs ADDRESS TABLE...` prints types and rows as JSON.

import { readFileSync } from "node:fs";
import { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects } from "hyparquet";

const [address, ...tables] = process.argv.slice(2);
const packages = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf-8"));

const typeOf = (rows, column) => {
  const value = rows.map((row) => row[column.name]).find((value) => value !== null);
  return value === undefined ? `null (${column.type})` : value.constructor.name;
};

// a day as its date alone; numbers are small
function plain(name, value) {
  if (this[name] instanceof Date) return value.slice(0, 10);
  return typeof value === "bigint" ? Number(value) : value;
}

const read = async (name) => {
  const file = await asyncBufferFromUrl({ url: `${address}/v1/exports/${name}.parquet` });
  const { schema } = await parquetMetadataAsync(file);
  const rows = await parquetReadObjects({ file });
  const columns = schema.filter((column) => column.name in rows[0]);
  return { types: Object.fromEntries(columns.map((column) => [column.name, typeOf(rows, column)])), rows };
};

const found = {};
for (const name of tables) found[name] = await read(name);
const hyparquet = { version: packages.dependencies.hyparquet, ways: { Parquet: found } };
console.log(JSON.stringify({ hyparquet }, plain));
