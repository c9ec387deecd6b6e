// Serves a bucket through the functions for CloudFront: viewer request, origin, error pages, viewer
// response. The key value store is read from the bucket, as an operator would load it.
import { readFile } from "node:fs/promises";
import http from "node:http";
import vm from "node:vm";

const [port, origin, folder] = process.argv.slice(2);
const ERROR_PAGES = {
    403: ["errors/not-found.json", 404],
    404: ["errors/not-found.json", 404],
    416: ["errors/range-not-satisfiable.json", 416],
};
// the headers that CloudFront does not let a function see
const HIDDEN = ["connection", "keep-alive", "transfer-encoding"];

async function load(name) {
    const source = await readFile(`${folder}/${name}.js`, "utf-8");
    if (Buffer.byteLength(source) > 10_240) throw new Error(`${name} is larger than 10 KB`);
    const body = source.replace('import cf from "cloudfront";', "");
    const context = vm.createContext({ cf: { kvs: () => keyValueStore } });
    return vm.runInContext(`${body}\nhandler`, context);
}

let keys = new Map();
const keyValueStore = {
    get: async (key) => {
        if (!keys.has(key)) throw new Error(`no key ${key}`);
        return keys.get(key);
    },
    exists: async (key) => keys.has(key),
};

let loaded = 0;
let loading = null;

// an operator loads the keys after each run of `publish`; here they are a second old at most
function loadKeys() {
    if (Date.now() - loaded > 1000) {
        loaded = Date.now();
        loading = fetchKeys();
    }
    return loading;
}

async function fetchKeys() {
    const current = await (await fetch(`${origin}/current.json`)).json();
    const puts = await fetch(`${origin}/snapshots/${current.snapshot}.cloudfront.json`);
    keys = new Map((await puts.json()).map(({ Key, Value }) => [Key, Value]));
}

function parse(request) {
    const [uri, query] = [request.url.split("?")[0], request.url.split("?")[1]];
    const querystring = {};
    for (const [name, value] of new URLSearchParams(query ?? "")) querystring[name] = { value };
    const headers = {};
    for (const name in request.headers) headers[name] = { value: request.headers[name] };
    return { method: request.method, uri, querystring, headers, cookies: {} };
}

// CloudFront answers HEAD from what it got by GET, too
function get(path, headers) {
    const forwarded = {};
    for (const name of ["range", "if-none-match", "if-range"]) {
        if (headers[name]) forwarded[name] = headers[name].value;
    }
    return new Promise((resolve, reject) => {
        http.request(origin + path, { headers: forwarded }, async (response) => {
            const chunks = [];
            for await (const chunk of response) chunks.push(chunk);
            const found = {};
            for (const [name, value] of Object.entries(response.headers)) {
                if (!HIDDEN.includes(name)) found[name] = { value: String(value) };
            }
            resolve({ statusCode: response.statusCode, headers: found, body: Buffer.concat(chunks) });
        }).on("error", reject).end();
    });
}

function send(outgoing, method, { statusCode, headers, body }) {
    const plain = {};
    for (const name in headers) plain[name] = headers[name].value;
    if (method !== "HEAD" && body) plain["content-length"] = Buffer.byteLength(body);
    outgoing.writeHead(statusCode, plain);
    outgoing.end(method === "HEAD" ? undefined : body);
}

const onRequest = await load("cloudfront-request");
const onResponse = await load("cloudfront-response");

// clients of the tests use connections again after a long time, on a busy machine
const LONG = { keepAliveTimeout: 600_000 };
http.createServer(LONG, async (incoming, outgoing) => {
    try {
        await loadKeys();
        const context = { eventType: "viewer-request" };
        const result = await onRequest({ version: "1.0", context, request: parse(incoming) });
        if (result.statusCode) return send(outgoing, incoming.method, result);
        let response = await get(result.uri, result.headers);
        if (ERROR_PAGES[response.statusCode]) {
            const [page, status] = ERROR_PAGES[response.statusCode];
            // no function is called for a custom error page
            response = { ...(await get(`/${page}`, {})), statusCode: status };
            const { CorsConfig } = JSON.parse(await readFile(`${folder}/cloudfront-headers.json`));
            const [origin] = CorsConfig.AccessControlAllowOrigins.Items;
            response.headers["access-control-allow-origin"] = { value: origin };
            return send(outgoing, incoming.method, response);
        }
        const { body, ...described } = response;
        const event = { version: "1.0", context: { eventType: "viewer-response" } };
        const changed = onResponse({ ...event, request: result, response: described });
        send(outgoing, incoming.method, { ...changed, body });
    } catch (error) {
        outgoing.writeHead(502).end(String(error.stack));
    }
}).listen(Number(port), "127.0.0.1");
