// What each program reads through its generated client, whose types must fit these.

export interface Summary {
  /** Titles of the awards in two regions, in descending order. */
  awards: string[];
  /** Names of their recipients, which `include` adds. */
  recipients: string[];
  /** Title of one award. */
  award: string;
  /** Detail of the problem for an id that does not exist. */
  notFound: string;
  /** Message of the problem for a limit that is too small. */
  invalid: string;
  /** Ids of all activities, page by page. */
  activities: string[];
}

interface AwardPage {
  data: { title: string }[];
  included?: { organizations?: { name: string }[] | undefined } | null | undefined;
}

interface AwardItem {
  data: { title: string };
}

interface Problem {
  detail: string;
  errors?: { message: string }[] | null | undefined;
}

interface ActivityPage {
  data: { id: string }[];
  links: { next: string | null };
}

interface PageQuery {
  limit: number;
  cursor?: string;
}

export const REGIONS = ["cusco", "loreto"];
const PAGE_SIZE = 5;

/** The summary of a page of awards, one award, two problems, and the ids of all activities. */
export function summarize(
  page: AwardPage,
  item: AwardItem,
  notFound: Problem,
  invalid: Problem,
  activities: string[],
): Summary {
  return {
    awards: page.data.map((award) => award.title),
    recipients: expect(page.included?.organizations).map((recipient) => recipient.name),
    award: item.data.title,
    notFound: notFound.detail,
    invalid: expect(invalid.errors?.[0]).message,
    activities,
  };
}

/** Ids of all activities, page by page. */
export async function readActivities(list: (query: PageQuery) => Promise<ActivityPage>): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await list(cursor === undefined ? { limit: PAGE_SIZE } : { limit: PAGE_SIZE, cursor });
    ids.push(...page.data.map((activity) => activity.id));
    cursor = cursorOf(page.links.next);
  } while (cursor !== undefined);
  return ids;
}

/** The query parameter with which the next page is requested; undefined after the last page. */
function cursorOf(next: string | null): string | undefined {
  return next === null ? undefined : (new URL(next, "http://any.test").searchParams.get("cursor") ?? undefined);
}

/** A value that must be there. */
export function expect<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) {
    throw new Error("a value is missing");
  }
  return value;
}
