// Keep a copy of the record: `node keep_a_copy.mjs copy.json` downloads or updates it.
// In a browser, import `keepUpToDate` and store what it returns.

const BASE_URL = "http://127.0.0.1:8000";
const ATTEMPTS = 6;

/** The changes do not lead from this copy to the release: download it as a whole. */
class CannotUpdate extends Error {}

const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** The response to a request; null if it still has this entity tag. */
async function get(path, etag) {
  let response;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    response = await fetch(BASE_URL + path, { headers: etag ? { "If-None-Match": etag } : {} });
    if (response.status !== 503) break;
    await wait(Number(response.headers.get("Retry-After")) || 60);
  }
  if (response.status === 304) return null;
  if (response.ok) return response;
  const message = `${response.status}: ${await response.text()}`;
  // 404 and 422: the server has no such release, or not yet
  throw [404, 422].includes(response.status) ? new CannotUpdate(message) : new Error(message);
}

/** All items of a release by their paths. The response never changes. */
async function download(release) {
  const record = await (await get(`/v1/releases/${release}/record`)).json();
  const items = Object.values(record.data).flat();
  return Object.fromEntries(items.map(({ links, ...item }) => [links.self, item]));
}

/** All changes between two releases. As both are named, no page depends on a later one. */
async function* changes(since, until) {
  let path = `/v1/changes?since=${since}&until=${until}`;
  while (path) {
    const page = await (await get(path)).json();
    yield* page.data;
    path = page.links.next;
  }
}

/** Change a field of an item, or a citation as a whole. */
function apply(items, { links, field, kind, after }) {
  const path = links.resource;
  const [holder, key] = field === null ? [items, path] : [(items[path] ??= {}), field];
  if ((key in holder) === (kind === "added")) {
    throw new CannotUpdate(`${path} differs from the release that the copy was made from`);
  }
  if (kind === "removed") delete holder[key];
  else holder[key] = after;
  if (items[path] && !Object.keys(items[path]).length) delete items[path]; // its last field
}

/** The copy as of the release that is served now. An empty one is downloaded. */
async function update({ etag, meta: oldMeta, items }) {
  const response = await get("/v1/meta", etag);
  if (response === null) return { etag, meta: oldMeta, items };
  const { data: meta } = await response.json();
  if (!items) {
    items = await download(meta.release);
  } else {
    for await (const change of changes(oldMeta.release, meta.release)) {
      if (change.type !== "record") apply(items, change); // what describes the record is in meta
    }
  }
  const expected = Object.values(meta.counts).reduce((sum, count) => sum + count, 0);
  if (Object.keys(items).length !== expected) {
    throw new CannotUpdate("The copy has another number of items than the release");
  }
  return { etag: response.headers.get("ETag"), meta, items };
}

/** An updated copy. Call this daily; within an hour, a cache may repeat its response. */
export async function keepUpToDate(copy) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await update(copy);
    } catch (error) {
      if (!(error instanceof CannotUpdate)) throw error;
      copy = {};
      await wait(attempt);
    }
  }
  throw new Error("No release could be downloaded.");
}

const [, program, file] = globalThis.process?.argv ?? [];
if (program?.endsWith("keep_a_copy.mjs")) {
  if (!file) {
    console.error("Usage: node keep_a_copy.mjs copy.json");
    process.exit(2);
  }
  const { readFile, rename, writeFile } = await import("node:fs/promises");
  const saved = await readFile(file, "utf-8").catch(() => "{}");
  const copy = await keepUpToDate(JSON.parse(saved));
  await writeFile(`${file}.new`, JSON.stringify(copy));
  await rename(`${file}.new`, file);
  console.log(copy.meta.release_label, Object.keys(copy.items).length, "items");
}
