// Reads the record through the client of oazapfts.

import { defaults, getAward, listActivities, listAwards } from "../generated/oazapfts.js";
import { cursorOf, expect, PAGE_SIZE, REGIONS, type Summary } from "./summary.js";

export async function read(origin: string): Promise<Summary> {
  defaults.baseUrl = origin;
  const page = await listAwards({ region: REGIONS, sort: "-title", include: ["recipient"] });
  const item = await getAward("peru-ilo");
  const missing = await getAward("nobody");
  const invalid = await listAwards({ limit: 0 });
  if (page.status !== 200 || item.status !== 200 || missing.status !== 404 || invalid.status !== 422) {
    throw new Error(`${page.status} ${item.status} ${missing.status} ${invalid.status}`);
  }
  const activities: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor };
    const response = await listActivities(query);
    if (response.status !== 200) {
      throw new Error(`${response.status}`);
    }
    activities.push(...response.data.data.map((activity) => activity.id));
    cursor = cursorOf(response.data.links.next);
  } while (cursor !== undefined);
  return {
    awards: page.data.data.map((award) => award.title),
    recipients: expect(page.data.included?.organizations).map((recipient) => recipient.name),
    award: item.data.data.title,
    notFound: missing.data.detail,
    invalid: expect(invalid.data.errors?.[0]?.message),
    activities,
  };
}
