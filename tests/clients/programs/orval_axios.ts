// Reads the record through the client of orval for axios.

import axios, { isAxiosError } from "axios";

import { getUnitedStatesPeruChildProtectionCompactRecord as createClient } from "../generated/orval-axios.js";
import type { ProblemDocument } from "../generated/orval-axios.js";
import { cursorOf, expect, PAGE_SIZE, REGIONS, type Summary } from "./summary.js";

export async function read(origin: string): Promise<Summary> {
  // Without `indexes`, axios writes `region[]=cusco`, which the API rejects.
  const instance = axios.create({ baseURL: origin, paramsSerializer: { indexes: null } });
  const client = createClient(instance);
  const { data: page } = await client.listAwards({
    region: REGIONS,
    sort: "-title",
    include: ["recipient"],
  });
  const { data: item } = await client.getAward("peru-ilo");
  const activities: string[] = [];
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor };
    const { data } = await client.listActivities(query);
    activities.push(...data.data.map((activity) => activity.id));
    cursor = cursorOf(data.links.next);
  } while (cursor !== undefined);
  return {
    awards: page.data.map((award) => award.title),
    recipients: expect(page.included?.organizations).map((recipient) => recipient.name),
    award: item.data.title,
    notFound: (await problem(client.getAward("nobody"))).detail,
    invalid: expect((await problem(client.listAwards({ limit: 0 }))).errors?.[0]?.message),
    activities,
  };
}

async function problem(pending: Promise<unknown>): Promise<ProblemDocument> {
  try {
    await pending;
  } catch (error) {
    if (isAxiosError<ProblemDocument>(error) && error.response !== undefined) {
      return error.response.data;
    }
    throw error;
  }
  throw new Error("no problem");
}
