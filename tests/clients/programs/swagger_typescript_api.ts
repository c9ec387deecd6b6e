// Reads the record through the client of swagger-typescript-api.

import { Api, type HttpResponse, type ProblemDocument } from "../generated/swagger-typescript-api/Api.js";
import { readActivities, REGIONS, summarize, type Summary } from "./summary.js";

export async function read(baseUrl: string): Promise<Summary> {
  const { v1 } = new Api({ baseUrl });
  const { data: page } = await v1.listAwards({
    region: REGIONS,
    sort: "-title",
    include: ["recipient"],
  });
  const { data: item } = await v1.getAward("peru-ilo");
  const notFound = await problem(v1.getAward("nobody"));
  const invalid = await problem(v1.listAwards({ limit: 0 }));
  const activities = await readActivities(async (query) => (await v1.listActivities(query)).data);
  return summarize(page, item, notFound, invalid, activities);
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
