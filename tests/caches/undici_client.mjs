// Sends the requests that it reads, one JSON object a line, through undici's cache.
import { createInterface } from "node:readline";
import { Agent, interceptors, request } from "undici";

const dispatcher = new Agent().compose(interceptors.cache());

for await (const line of createInterface({ input: process.stdin })) {
  const { url, method, headers } = JSON.parse(line);
  let reply;
  try {
    const response = await request(url, { dispatcher, method, headers });
    const body = Buffer.from(await response.body.arrayBuffer());
    reply = { status: response.statusCode, headers: response.headers, body: body.toString("base64") };
  } catch (error) {
    reply = { error: String(error) };
  }
  console.log(JSON.stringify(reply));
}
