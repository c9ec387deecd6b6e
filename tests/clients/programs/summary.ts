// What each program reads through its generated client.

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

export const REGIONS = ["cusco", "loreto"];
export const PAGE_SIZE = 5;

/** The query parameter with which the next page is requested; undefined after the last page. */
export function cursorOf(next: string | null): string | undefined {
  return next === null ? undefined : (new URL(next, "http://any.test").searchParams.get("cursor") ?? undefined);
}

/** A value that must be there. */
export function expect<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) {
    throw new Error("a value is missing");
  }
  return value;
}
