// Reads the record through the client of orval for axios.

import axios, { isAxiosError } from "axios";

import { getUnitedStatesPeruChildProtectionCompactRecord as createClient } from "../generated/orval-axios.js";
import type { ProblemDocument } from "../generated/orval-axios.js";
import { readActivities, REGIONS, summarize, type Summary } from "./summary.js";

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
  const notFound = await problem(client.getAward("nobody"));
  const invalid = await problem(client.listAwards({ limit: 0 }));
  const activities = await readActivities(async (query) => (await client.listActivities(query)).data);
  return summarize(page, item, notFound, invalid, activities);
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
