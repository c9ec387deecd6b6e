// Reads all resources through openapi-fetch, with the types of openapi-typescript, and prints them.

import createClient from "openapi-fetch";

import type { components, paths } from "../generated/openapi-typescript.js";

type Problem = components["schemas"]["ProblemDocument"];

/** Every collection in the client. The program does not compile if one is not read below. */
type Collection = {
  [Path in keyof paths]: Path extends `/v1/${infer Name}/{id}` ? Name : never;
}[keyof paths];

interface ClientResponse<Body> {
  data?: Body;
  error?: Problem;
  response: Response;
}

interface Page<Item> {
  data: Item[];
  links: { next: string | null };
}

interface PageQuery {
  limit: number;
  cursor?: string;
}

interface CollectionContents<Item> {
  items: Item[];
  item: Item;
}

const origin = process.argv[2];
if (origin === undefined) {
  throw new Error("usage: read_all ORIGIN");
}
const client = createClient<paths>({ baseUrl: origin });

async function body<Body>(pending: Promise<ClientResponse<Body>>): Promise<Body> {
  const { data, error, response } = await pending;
  if (data === undefined) {
    throw new Error(`${response.status} from ${response.url}: ${error?.detail}`);
  }
  return data;
}

async function problem(pending: Promise<ClientResponse<unknown>>, status: number): Promise<Problem> {
  const { error, response } = await pending;
  if (error === undefined || response.status !== status) {
    throw new Error(`${response.status} from ${response.url} instead of ${status}`);
  }
  return error;
}

async function read<Item extends { id: string }>(
  list: (query: PageQuery) => Promise<ClientResponse<Page<Item>>>,
  get: (path: { id: string }) => Promise<ClientResponse<{ data: Item }>>,
): Promise<CollectionContents<Item>> {
  const items: Item[] = [];
  let next: string | null = "?";
  while (next !== null) {
    const cursor = new URL(next, origin).searchParams.get("cursor");
    const page: Page<Item> = await body(list(cursor === null ? { limit: 50 } : { limit: 50, cursor }));
    items.push(...page.data);
    next = page.links.next;
  }
  const first = items[0];
  if (first === undefined) {
    throw new Error("the collection is empty");
  }
  return { items, item: (await body(get({ id: first.id }))).data };
}

const collections = {
  partnerships: await read(
    (query) => client.GET("/v1/partnerships", { params: { query } }),
    (path) => client.GET("/v1/partnerships/{id}", { params: { path } }),
  ),
  objectives: await read(
    (query) => client.GET("/v1/objectives", { params: { query } }),
    (path) => client.GET("/v1/objectives/{id}", { params: { path } }),
  ),
  awards: await read(
    (query) => client.GET("/v1/awards", { params: { query } }),
    (path) => client.GET("/v1/awards/{id}", { params: { path } }),
  ),
  activities: await read(
    (query) => client.GET("/v1/activities", { params: { query } }),
    (path) => client.GET("/v1/activities/{id}", { params: { path } }),
  ),
  regions: await read(
    (query) => client.GET("/v1/regions", { params: { query } }),
    (path) => client.GET("/v1/regions/{id}", { params: { path } }),
  ),
  organizations: await read(
    (query) => client.GET("/v1/organizations", { params: { query } }),
    (path) => client.GET("/v1/organizations/{id}", { params: { path } }),
  ),
  sources: await read(
    (query) => client.GET("/v1/sources", { params: { query } }),
    (path) => client.GET("/v1/sources/{id}", { params: { path } }),
  ),
  citations: await read(
    (query) => client.GET("/v1/citations", { params: { query } }),
    (path) => client.GET("/v1/citations/{id}", { params: { path } }),
  ),
} satisfies Record<Collection, CollectionContents<unknown>>;

const summary = {
  collections,
  in_cusco_or_loreto: await body(
    client.GET("/v1/awards", {
      params: { query: { region: ["cusco", "loreto"], sort: "-title", include: ["recipient"] } },
    }),
  ),
  amount_not_stated: collections.awards.items
    .filter((award) => award.amount === null && award.not_stated.includes("amount"))
    .map((award) => award.id),
  search: await body(client.GET("/v1/search", { params: { query: { q: "cusco" } } })),
  index: await body(client.GET("/v1")),
  meta: await body(client.GET("/v1/meta")),
  record: await body(client.GET("/v1/record")),
  not_found: await problem(
    client.GET("/v1/awards/{id}", { params: { path: { id: "nobody" } } }),
    404,
  ),
  invalid: await problem(client.GET("/v1/awards", { params: { query: { limit: 0 } } }), 422),
  misspelled: await problem(
    // @ts-expect-error The client has types for the parameters of every path.
    client.GET("/v1/awards", { params: { query: { regoin: ["cusco"] } } }),
    422,
  ),
};

console.log(JSON.stringify(summary));
