// Reads the record through the client of @hey-api/openapi-ts.

import { createClient } from "../client/client/index.js";
import { getAward, listActivities, listAwards } from "../client/index.js";
import type { OrganizationKind, PartialDate } from "../client/index.js";
import { expect, readActivities, REGIONS, summarize, type Summary } from "./summary.js";

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
  const activities = await readActivities(
    async (query) => (await listActivities({ client, query, throwOnError: true })).data,
  );
  return summarize(page, item, expect(missing.error), expect(invalid.error), activities);
}
