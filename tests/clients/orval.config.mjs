// Clients for fetch and axios. The address of the first is an expression in its code; that of the
// second is set on the axios instance.
const input = "openapi-clients.json";

export default {
  fetch: {
    input,
    output: {
      client: "fetch",
      target: "generated/orval-fetch.ts",
      baseUrl: { runtime: "process.env['RECORD_ORIGIN']" },
    },
  },
  axios: { input, output: { client: "axios", target: "generated/orval-axios.ts" } },
};
