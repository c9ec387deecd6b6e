// Reads the record through the client of orval for fetch. Its address is an expression in the
// generated code, which orval.config.mjs sets.

import { getAward, listActivities, listAwards } from "../generated/orval-fetch.js";
import { readActivities, REGIONS, summarize, type Summary } from "./summary.js";

export async function read(origin: string): Promise<Summary> {
  process.env["RECORD_ORIGIN"] = origin;
  const page = await listAwards({ region: REGIONS, sort: "-title", include: ["recipient"] });
  const item = await getAward("peru-ilo");
  const missing = await getAward("nobody");
  const invalid = await listAwards({ limit: 0 });
  if (page.status !== 200 || item.status !== 200 || missing.status !== 404 || invalid.status !== 422) {
    throw new Error(`${page.status} ${item.status} ${missing.status} ${invalid.status}`);
  }
  const activities = await readActivities(async (query) => {
    const { data, status } = await listActivities(query);
    if (status !== 200) {
      throw new Error(`${status}`);
    }
    return data;
  });
  return summarize(page.data, item.data, missing.data, invalid.data, activities);
}
