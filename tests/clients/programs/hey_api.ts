// Reads the record through the client of @hey-api/openapi-ts.

import { createClient } from "../client/client/index.js";
import { getAward, listActivities, listAwards } from "../client/index.js";
import type { OrganizationKind, PartialDate } from "../client/index.js";
import { cursorOf, expect, PAGE_SIZE, REGIONS, type Summary } from "./summary.js";

export async function read(baseUrl: string): Promise<Summary> {
  const client = createClient({ baseUrl });
  const { data: page } = await listAwards({
    client,
    query: { region: REGIONS, sort: "-title", include: ["recipient"] },
    throwOnError: true,
  });
  const recipients = expect(page.included?.organizations);
  const kinds: (OrganizationKind | null)[] = recipients.map((recipient) => recipient.kind);
  const announced: (PartialDate | null)[] = page.data.map((award) => award.announced);
  if (kinds.length + announced.length === 0) {
    throw new Error("nothing is typed");
  }
  const { data: item } = await getAward({ client, path: { id: "peru-ilo" }, throwOnError: true });
  const missing = await getAward({ client, path: { id: "nobody" } });
  const invalid = await listAwards({ client, query: { limit: 0 } });
  const activities: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor };
    const { data } = await listActivities({ client, query, throwOnError: true });
    activities.push(...data.data.map((activity) => activity.id));
    cursor = cursorOf(data.links.next);
  } while (cursor !== undefined);
  return {
    awards: page.data.map((award) => award.title),
    recipients: recipients.map((recipient) => recipient.name),
    award: item.data.title,
    notFound: expect(missing.error?.detail),
    invalid: expect(invalid.error?.errors?.[0]?.message),
    activities,
  };
}
