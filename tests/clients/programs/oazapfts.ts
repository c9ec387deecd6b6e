// Reads the record through the client of oazapfts.

import { defaults, getAward, listActivities, listAwards } from "../generated/oazapfts.js";
import { readActivities, REGIONS, summarize, type Summary } from "./summary.js";

export async function read(origin: string): Promise<Summary> {
  defaults.baseUrl = origin;
  const page = await listAwards({ region: REGIONS, sort: "-title", include: ["recipient"] });
  const item = await getAward("peru-ilo");
  const missing = await getAward("nobody");
  const invalid = await listAwards({ limit: 0 });
  if (page.status !== 200 || item.status !== 200 || missing.status !== 404 || invalid.status !== 422) {
    throw new Error(`${page.status} ${item.status} ${missing.status} ${invalid.status}`);
  }
  const activities = await readActivities(async (query) => {
    const response = await listActivities(query);
    if (response.status !== 200) {
      throw new Error(`${response.status}`);
    }
    return response.data;
  });
  return summarize(page.data, item.data, missing.data, invalid.data, activities);
}
