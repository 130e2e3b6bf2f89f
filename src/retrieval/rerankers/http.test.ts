/** @file The HTTP reranker against a server of that shape, and against servers that go wrong. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { ConfigError, DataError } from "../../base/errors.js";
import { httpReranker } from "./http.js";

interface Received {
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly query: string;
    readonly documents: string[];
    readonly top_n: number;
  };
}

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server whose answers `reply` makes; undefined is never answered. */
async function serve(reply: (received: Received) => [status: number, body: unknown] | undefined): Promise<string> {
  server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    const answer = reply({ authorization: request.headers.authorization, body: JSON.parse(text) });
    if (answer !== undefined) response.writeHead(answer[0]).end(JSON.stringify(answer[1]));
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/rerank`;
}

/** Results best first, as such servers give them: longer texts are better. */
const byLength = ({ body }: Received): [number, unknown] => {
  const results = body.documents.map((text, index) => ({ index, relevance_score: text.length, document: { text } }));
  return [200, { id: "1", results: results.sort((a, b) => b.relevance_score - a.relevance_score) }];
};

it("sends model, query and texts in batches, and puts the scores in the order of the texts", async () => {
  const received: Received[] = [];
  const url = await serve((request) => {
    received.push(request);
    return byLength(request);
  });
  const reranker = httpReranker({ url, model: "rerank-1", apiKey: "secret", batchSize: 2 });
  expect(await reranker.score("q", ["ccc", "a", "bb"])).toEqual([3, 1, 2]);
  expect(received.map(({ body }) => body.documents)).toEqual([["ccc", "a"], ["bb"]]);
  expect(received[0]).toMatchObject({
    authorization: "Bearer secret",
    body: { model: "rerank-1", query: "q", top_n: 2 },
  });
  expect(await reranker.score("q", [])).toEqual([]);
});

it.each<[string, [number, unknown], RegExp]>([
  ["a refusal", [401, { message: "bad key" }], /status 401.*bad key/],
  ["no results", [200, {}], /expected results/],
  ["too few", [200, { results: [{ index: 0, relevance_score: 1 }] }], /for 2 texts/],
  [
    "another index",
    [
      200,
      {
        results: [
          { index: 0, relevance_score: 1 },
          { index: 7, relevance_score: 1 },
        ],
      },
    ],
    /expected/,
  ],
  ["no numbers", [200, { results: [{ index: 0, relevance_score: "1" }, { index: 1 }] }], /expected/],
  ["no JSON object", [200, "x"], /expected/],
])("reports %s, and never the key", async (_, answer, message) => {
  const url = await serve(() => answer);
  const failed = httpReranker({ url, model: "m", apiKey: "secret" }).score("q", ["a", "b"]);
  await expect(failed).rejects.toThrow(DataError);
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.not.toThrow(/secret/);
});

it("gives up after the timeout, when it is told to, and where nobody listens", async () => {
  const url = await serve(() => undefined);
  await expect(httpReranker({ url, model: "m", timeoutMs: 50 }).score("q", ["a"])).rejects.toThrow(/within 50 ms/);
  const stopped = new AbortController();
  setTimeout(() => stopped.abort(new Error("stopped")), 20);
  await expect(httpReranker({ url, model: "m" }).score("q", ["a"], stopped.signal)).rejects.toThrow("stopped");
  server?.closeAllConnections();
  server?.close();
  await expect(httpReranker({ url, model: "m" }).score("q", ["a"])).rejects.toThrow(/not reached/);
  expect(() => httpReranker({ url: "file:///x", model: "m" })).toThrow(ConfigError);
});
