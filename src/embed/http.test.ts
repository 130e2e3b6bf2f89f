import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { CapacityError, ConfigError } from "../base/errors.js";
import { EmbedderError, http } from "./http.js";

type Answer = (texts: readonly string[], response: ServerResponse, request: IncomingMessage) => void;

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(undefined)));
  server = undefined;
});

/** A server whose answers come in turn, the last one again and again. Gives its address and the texts of each request. */
async function serving(...answers: Answer[]): Promise<{ url: string; requests: string[][] }> {
  const requests: string[][] = [];
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { input } = JSON.parse(Buffer.concat(pieces).toString()) as { input: string[] };
      requests.push(input);
      answers[Math.min(requests.length, answers.length) - 1]!(input, response, request);
    });
  });
  await new Promise<void>((done) => server!.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests };
}

const vectorOf = (text: string): number[] => [text.length, 1, 0];
const send = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
};
/** In reverse order, as the index allows. */
const good: Answer = (texts, response) =>
  send(response, 200, { data: texts.map((text, index) => ({ index, embedding: vectorOf(text) })).reverse() });
const fails =
  (status: number, body = "no", headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    send(response, status, body, headers);

const options = { model: "m", dimension: 3, retryMs: 1 };
const length = (vector: Float32Array): number => Math.hypot(...vector);

describe("http embedder", () => {
  it("gives unit vectors in the order of the texts, by requests of a limited size, with prompts", async () => {
    const { url, requests } = await serving(good);
    const embedder = await http.open(url, { ...options, batchTexts: 2, batchChars: 12, prompts: { query: "q: " } });
    const texts = ["a", "bb", "ccc", "d".repeat(40), "e"];
    const vectors = await embedder.embed(texts, "passage");
    expect(requests).toEqual([["a", "bb"], ["ccc"], ["d".repeat(40)], ["e"]]);
    for (const [i, vector] of vectors.entries()) {
      expect(length(vector)).toBeCloseTo(1, 6);
      expect(vector[0]! / vector[1]!).toBeCloseTo(texts[i]!.length, 4);
    }
    await embedder.embed(["x"], "query");
    expect(requests.at(-1)).toEqual(["q: x"]);
  });

  it("asks for the dimension, reads base64, and sends the key of the variable", async () => {
    const keys: (string | undefined)[] = [];
    const { url } = await serving((texts, response, request) => {
      keys.push(request.headers.authorization);
      const embedding = Buffer.from(Float32Array.of(3, 4).buffer).toString("base64");
      send(response, 200, { data: texts.map((_, index) => ({ index, embedding })) });
    });
    process.env.TESSERA_TEST_KEY = "secret";
    try {
      const embedder = await http.open(url, { model: "m", apiKeyVariable: "TESSERA_TEST_KEY" });
      expect(embedder.dimension).toBe(2);
      const [vector] = await embedder.embed(["a"], "query");
      expect(vector![0]).toBeCloseTo(0.6, 6);
      expect(vector![1]).toBeCloseTo(0.8, 6);
      expect(keys).toEqual(["Bearer secret", "Bearer secret"]);
      expect(embedder.model).not.toContain("secret");
    } finally {
      delete process.env.TESSERA_TEST_KEY;
    }
  });

  it("tries again after 429, 500 and a broken connection, and gives up with the reason", async () => {
    const broken: Answer = (_, response) => response.destroy();
    const { url, requests } = await serving(fails(429, "slow", { "retry-after": "0.001" }), fails(500), broken, good);
    const embedder = await http.open(url, options);
    expect(await embedder.embed(["a"], "query")).toHaveLength(1);
    expect(requests).toHaveLength(4);
    const busy = await http.open((await serving(fails(503, "busy"))).url, { ...options, retries: 2 });
    await expect(busy.embed(["a"], "query")).rejects.toThrow(/answered 503: busy \(tried 3 times\)$/);
  });

  it("gives up a request that takes too long", async () => {
    const { url } = await serving(() => undefined);
    const embedder = await http.open(url, { ...options, timeoutMs: 30, retries: 1 });
    await expect(embedder.embed(["a"], "query")).rejects.toThrow("no answer within 30 ms (tried 2 times)");
  });

  it("stops when it is told to, also while it waits", async () => {
    const { url } = await serving(fails(503));
    const embedder = await http.open(url, { ...options, retryMs: 60_000 });
    const controller = new AbortController();
    const running = embedder.embed(["a"], "query", controller.signal);
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(running).rejects.toThrow("enough");
  });

  it.each<[string, Answer, RegExp, typeof EmbedderError | typeof CapacityError]>([
    ["a wrong key", fails(401), /answered 401: no; is the key right\?/, EmbedderError],
    ["an unknown path", fails(404), /does the address end/, EmbedderError],
    ["a text that is too long", fails(400, "maximum context length is 8192 tokens"), /8192/, CapacityError],
    ["no JSON", fails(200, "<html>"), /answered no JSON: <html>/, EmbedderError],
    ["no embeddings", fails(200, '{"object":"list"}'), /answered no embeddings/, EmbedderError],
    ["too few", (_, r) => send(r, 200, { data: [] }), /0 vectors for 1 texts/, EmbedderError],
    [
      "a wrong index",
      (_, r) => send(r, 200, { data: [{ index: 4, embedding: [1, 2, 3] }] }),
      /vectors for 1/,
      EmbedderError,
    ],
    [
      "another dimension",
      (_, r) => send(r, 200, { data: [{ index: 0, embedding: [1, 2] }] }),
      /2 numbers came, expected 3/,
      EmbedderError,
    ],
    ["zeros", (_, r) => send(r, 200, { data: [{ index: 0, embedding: [0, 0, 0] }] }), /no direction/, EmbedderError],
  ])("refuses %s at once", async (_, answer, message, kind) => {
    const { url, requests } = await serving(answer);
    const embedder = await http.open(url, options);
    const failed = embedder.embed(["a"], "query");
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toBeInstanceOf(kind);
    expect(requests).toHaveLength(1);
  });

  it("refuses what is no address, no model, no key, and a server that is not there", async () => {
    await expect(http.open("localhost:1", options)).rejects.toBeInstanceOf(ConfigError);
    await expect(http.open("http://localhost:1/v1")).rejects.toThrow("Give its name as model");
    const keyless = http.open("http://localhost:1/v1", { ...options, apiKeyVariable: "TESSERA_NO_SUCH_KEY" });
    await expect(keyless).rejects.toThrow("TESSERA_NO_SUCH_KEY is not set");
    const nobody = await http.open("http://127.0.0.1:9/v1", { ...options, retries: 0 });
    await expect(nobody.embed(["a"], "query")).rejects.toThrow(/ECONNREFUSED|bad port/);
  });
});
