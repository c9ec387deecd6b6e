// Reads the record through the generated clients and prints what each read, by tool.

import { read as heyApi } from "./hey_api.js";
import { read as oazapfts } from "./oazapfts.js";
import { read as orvalAxios } from "./orval_axios.js";
import { read as orvalFetch } from "./orval_fetch.js";
import { read as swaggerTypescriptApi } from "./swagger_typescript_api.js";

const origin = process.argv[2];
if (origin === undefined) {
  throw new Error("usage: main ORIGIN");
}
console.log(
  JSON.stringify({
    "hey-api": await heyApi(origin),
    oazapfts: await oazapfts(origin),
    "orval-axios": await orvalAxios(origin),
    "orval-fetch": await orvalFetch(origin),
    "swagger-typescript-api": await swaggerTypescriptApi(origin),
  }),
);
