// Reads the record through the client of swagger-typescript-api.

import { Api, type HttpResponse, type ProblemDocument } from "../generated/swagger-typescript-api/Api.js";
import { cursorOf, expect, PAGE_SIZE, REGIONS, type Summary } from "./summary.js";

export async function read(baseUrl: string): Promise<Summary> {
  const { v1 } = new Api({ baseUrl });
  const { data: page } = await v1.listAwards({
    region: REGIONS,
    sort: "-title",
    include: ["recipient"],
  });
  const { data: item } = await v1.getAward("peru-ilo");
  const activities: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor };
    const { data } = await v1.listActivities(query);
    activities.push(...data.data.map((activity) => activity.id));
    cursor = cursorOf(data.links.next);
  } while (cursor !== undefined);
  return {
    awards: page.data.map((award) => award.title),
    recipients: expect(page.included?.organizations).map((recipient) => recipient.name),
    award: item.data.title,
    notFound: (await problem(v1.getAward("nobody"))).detail,
    invalid: expect((await problem(v1.listAwards({ limit: 0 }))).errors?.[0]?.message),
    activities,
  };
}

/** The problem of a request that fails: the client throws its response. */
async function problem(pending: Promise<unknown>): Promise<ProblemDocument> {
  try {
    await pending;
  } catch (response) {
    return (response as HttpResponse<unknown, ProblemDocument>).error;
  }
  throw new Error("no problem");
}
