// Reads the record through the client of orval for fetch. Its address is an expression in the
// generated code, which orval.config.mjs sets.

import { getAward, listActivities, listAwards } from "../generated/orval-fetch.js";
import { cursorOf, expect, PAGE_SIZE, REGIONS, type Summary } from "./summary.js";

export async function read(origin: string): Promise<Summary> {
  process.env["RECORD_ORIGIN"] = origin;
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
    const { data, status } = await listActivities(query);
    if (status !== 200) {
      throw new Error(`${status}`);
    }
    activities.push(...data.data.map((activity) => activity.id));
    cursor = cursorOf(data.links.next);
  } while (cursor !== undefined);
  const recipients = expect(page.data.included?.organizations);
  return {
    awards: page.data.data.map((award) => award.title),
    recipients: recipients.map((recipient) => recipient.name),
    award: item.data.data.title,
    notFound: missing.data.detail,
    invalid: expect(invalid.data.errors?.[0]?.message),
    activities,
  };
}
