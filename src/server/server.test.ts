/** @file The server over real parts: an index on the disk, a tokenizer trained here, a tiny model that generates. */
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tinyModel, tinyParameters } from "../../test/support/tiny-model.js";
import { chunkers } from "../chunk/index.js";
import { Generator, Weights } from "../engine/index.js";
import { type Store, stores, syncIndex } from "../retrieval/index.js";
import { Runtime } from "../runtime/index.js";
import { trainByteLevelBpe } from "../tokenizers/index.js";
import { createApp, type KnowledgeService, listen, type RunningServer, readPageScript } from "./index.js";
import type { ErrorResponse, Passage, SearchResponse } from "./wire.js";

const documents = [
  {
    path: "guide/hooks.md",
    text: "# Hooks\n\nHooks run before a route.\n\n## Adding hooks\n\nCall addHook with a <b>name</b> & a function.\n",
  },
  { path: "guide/größe & co.md", text: "# Größe\n\nDie Größe des Körpers ist begrenzt.\n" },
  { path: "zh.md", text: "# 服务器\n\n请求体的大小有限制。\n" },
];
const CONTEXT = 4096;

let folder: string;
let runtime: Runtime;
let store: Store;
let service: KnowledgeService;
let pageScript: string;
/** Tokens that the model has computed. */
let numComputed = 0;
/** Texts that are being written. */
let numWriting = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "server-"));
  await writeFile(join(folder, "secret.txt"), "not indexed");
  const tokenizer = trainByteLevelBpe(
    documents.map(({ text }) => text),
    { vocabSize: 300, specialTokens: ["<|endoftext|>"] },
  );
  store = await stores.sqlite.open(join(folder, "index"));
  const sources = documents.map((document) => ({ ...document, hash: document.path }));
  function* chunk({ path, text }: { readonly path: string; readonly text: string }) {
    for (const cut of chunkers.recursive.chunk(text, { counter: tokenizer, maxTokens: 40 }))
      yield path === "zh.md" ? { ...cut, page: 3 } : cut;
  }
  await syncIndex(store, sources, { chunk });
  runtime = await Runtime.open({ numThreads: 1 });
  const model = tinyModel({ vocab_size: tokenizer.vocabSize, max_position_embeddings: CONTEXT });
  const generator = await Generator.create(runtime, model, new Weights(model, tinyParameters(model), "float32"));
  service = {
    folder: "manual",
    numDocuments: documents.length,
    numChunks: await store.count(),
    model: {
      origin: "trained from scratch on this folder in 2 s",
      numParameters: 12_345,
      weights: "float32",
      perplexityBefore: 300,
      perplexityAfter: 12.5,
      contextLength: CONTEXT,
    },
    topics: ["Adding hooks"],
    search: (text, limit) => store.query({ text, limit }),
    document: async (path) => documents.find((document) => document.path === path)?.text,
    async *complete(prompt, options) {
      const ids = tokenizer.encode(prompt);
      const decoder = tokenizer.streamDecoder();
      let numTokens = 0;
      numWriting++;
      try {
        for await (const id of generator.generate(ids, options)) {
          numTokens++;
          numComputed++;
          yield decoder.push(id);
        }
        yield decoder.flush();
      } finally {
        numWriting--;
      }
      return { numPromptTokens: ids.length, numDroppedTokens: 0, numTokens };
    },
  };
  pageScript = await readPageScript();
});
afterAll(async () => {
  await store.close();
  await runtime.close();
  await rm(folder, { recursive: true });
});

let app: Hono;
/** Failures that the server took for bugs. */
let bugs: unknown[];
beforeEach(() => {
  bugs = [];
  app = createApp(service, { pageScript, onError: (thrown) => bugs.push(thrown) });
});

const jsonHeaders = { "content-type": "application/json" };

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return app.request(path, { method: "POST", headers: { ...jsonHeaders, ...headers }, body: text });
}

async function outcome(response: Response | Promise<Response>): Promise<unknown> {
  const settled = await response;
  const { error } = (await settled.json()) as ErrorResponse;
  return [settled.status, error.field, error.message];
}

async function eventsOf(response: Response): Promise<{ event: string; data: Record<string, unknown> }[]> {
  const blocks = (await response.text()).split("\n\n").slice(0, -1);
  return blocks.map((block) => {
    const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block)!;
    return { event: event!, data: JSON.parse(data!) };
  });
}

const getDocument = (path: string) => app.request(`/api/document?${new URLSearchParams({ path })}`);

describe("search", () => {
  async function search(question: string): Promise<readonly Passage[]> {
    const response = await post("/api/search", { question });
    expect(response.status).toBe(200);
    return ((await response.json()) as SearchResponse).passages;
  }

  it("gives passages with their place, and the place of the question's words", async () => {
    const [best] = await search("How do I add a function?");
    expect(Object.keys(best!)).toEqual(["path", "headingPath", "start", "end", "text", "score", "ranks", "matches"]);
    expect(best).toMatchObject({ path: "guide/hooks.md", headingPath: ["Hooks", "Adding hooks"], ranks: { text: 1 } });
    const { text } = documents[0]!;
    expect(text.slice(best!.start, best!.end)).toBe(best!.text);
    expect(best!.score).toBeGreaterThan(0);
    expect(best!.matches.map(([start, end]) => text.slice(start, end))).toEqual(["function"]);
  });

  it("finds other scripts, and no more than asked for", async () => {
    expect((await search("请求的大小")).map(({ path, page }) => [path, page])).toEqual([["zh.md", 3]]);
    expect((await search("GROSSE KÖRPERS")).map(({ path }) => path)).toEqual(["guide/größe & co.md"]);
    const limited = await post("/api/search", { question: "hooks", limit: 1 });
    expect(((await limited.json()) as SearchResponse).passages).toHaveLength(1);
    expect(await search("nowhere")).toEqual([]);
  });

  it("takes every question as words only", async () => {
    for (const question of ['"', "a AND (", "*", "hooks'; drop table chunks; --", "\0", "\ud800"])
      await search(question);
    expect(await search("hooks")).not.toEqual([]);
  });
});

describe("complete", () => {
  it("streams the model's text, the same for the same seed, and counts", async () => {
    const ask = async (seed: number) =>
      eventsOf(await post("/api/complete", { prompt: "Hooks run", maxTokens: 20, temperature: 1, seed }));
    const events = await ask(1);
    const textOf = (of: typeof events) => of.map(({ data }) => data.text ?? "").join("");
    expect(events.slice(0, -1).every(({ event }) => event === "text")).toBe(true);
    expect(events.length).toBeGreaterThan(15);
    expect(events.at(-1)).toMatchObject({ event: "done", data: { numDroppedTokens: 0, numTokens: 20 } });
    expect(events.at(-1)!.data.milliseconds).toBeGreaterThan(0);
    expect(textOf(await ask(1))).toBe(textOf(events));
    expect(textOf(await ask(2))).not.toBe(textOf(events));
  });

  it("stops generating when the reader leaves, and is free for the next", async () => {
    const response = await post("/api/complete", { prompt: "Hooks", maxTokens: 4000 });
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    const reader = response.body!.getReader();
    await reader.read();
    expect(numWriting).toBe(1);
    await reader.cancel();
    await expect.poll(() => numWriting).toBe(0);
    const before = numComputed;
    const next = await eventsOf(await post("/api/complete", { prompt: "Hooks", maxTokens: 3 }));
    expect(next.at(-1)!.event).toBe("done");
    expect(numComputed).toBe(before + 3);
  });

  it("says in the stream what went wrong", async () => {
    const long = "word ".repeat(CONTEXT);
    const events = await eventsOf(await post("/api/complete", { prompt: long }));
    expect(events).toEqual([
      { event: "error", data: { error: { message: expect.stringContaining("the context holds") } } },
    ]);
    expect(bugs).toEqual([]);
  });
});

describe("document", () => {
  it("gives the text of indexed documents", async () => {
    for (const { path, text } of documents) {
      const response = await getDocument(path);
      expect(await response.json()).toEqual({ path, text });
    }
  });

  it("reaches nothing else", async () => {
    const paths = [
      "secret.txt",
      "../secret.txt",
      "guide/../zh.md",
      "/etc/passwd",
      "..\\secret.txt",
      "./zh.md",
      "zh.md\0",
    ];
    for (const path of [
      ...paths,
      "%2e%2e%2fsecret.txt",
      join(folder, "secret.txt"),
      "file:///etc/passwd",
      "__proto__",
    ]) {
      expect(await outcome(getDocument(path))).toEqual([404, "path", expect.stringContaining("no document")]);
    }
    for (const url of ["/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt", "/api/document/zh.md"]) {
      expect((await app.request(url)).status).toBe(404);
    }
    expect(await outcome(app.request("/api/document"))).toEqual([400, "path", expect.stringContaining("path")]);
  });
});

describe("requests that are wrong", () => {
  it.each([
    ["/api/search", "{", undefined, "not JSON"],
    ["/api/search", "", undefined, "not JSON"],
    ["/api/search", [], undefined, "expected object"],
    ["/api/search", {}, "question", "expected string"],
    ["/api/search", { question: 1 }, "question", "expected string"],
    ["/api/search", { question: " \n" }, "question", "at least one character"],
    ["/api/search", { question: "x".repeat(2001) }, "question", "2000"],
    ["/api/search", { question: "x", limit: 0 }, "limit", ">=1"],
    ["/api/search", { question: "x", limit: 51 }, "limit", "<=50"],
    ["/api/search", { question: "x", limit: 1.5 }, "limit", "int"],
    ["/api/search", { question: "x", top: 3 }, undefined, '"top"'],
    ["/api/complete", { prompt: "" }, "prompt", "at least one character"],
    ["/api/complete", { prompt: "x", maxTokens: CONTEXT + 1 }, "maxTokens", `<=${CONTEXT}`],
    ["/api/complete", { prompt: "x", temperature: -1 }, "temperature", ">=0"],
    ["/api/complete", { prompt: "x", seed: "1" }, "seed", "expected number"],
  ])("%s %j", async (path, body, field, message) => {
    expect(await outcome(post(path, body))).toEqual([400, field, expect.stringContaining(message)]);
  });

  it("too large, of another type, at another place, by another method", async () => {
    expect(await outcome(post("/api/search", { question: "x".repeat(65_536) }))).toEqual([
      413,
      undefined,
      expect.stringContaining("65536 bytes"),
    ]);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"]) {
      const response = post("/api/search", { question: "hooks" }, { "content-type": type });
      expect(await outcome(response)).toEqual([415, undefined, expect.stringContaining("application/json")]);
    }
    expect(await outcome(app.request("/nowhere"))).toEqual([404, undefined, expect.stringContaining("/nowhere")]);
    const wrongMethod = await app.request("/api/search");
    expect(wrongMethod.headers.get("allow")).toBe("POST");
    expect(await outcome(wrongMethod)).toEqual([405, undefined, "/api/search takes POST, not GET"]);
    expect((await app.request("/", { method: "DELETE" })).status).toBe(405);
    expect((await app.request("/", { method: "HEAD" })).status).toBe(200);
  });

  it("not UTF-8", async () => {
    const body = Uint8Array.of(0x22, 0xe4, 0x22);
    const response = app.request("/api/search", { method: "POST", headers: jsonHeaders, body });
    expect(await outcome(response)).toEqual([400, undefined, expect.stringContaining("UTF-8")]);
  });
});

describe("page", () => {
  it("comes in three files", async () => {
    const types = { "/": "text/html", "/page.js": "text/javascript", "/page.css": "text/css" };
    for (const [path, type] of Object.entries(types)) {
      const response = await app.request(path);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, expect.stringContaining(type)]);
    }
    expect(await (await app.request("/page.js")).text()).toBe(pageScript);
  });

  it("says what is indexed", async () => {
    const { folder: name, numDocuments, numChunks, model, topics } = service;
    const about = await (await app.request("/api/about")).json();
    expect(about).toEqual({ folder: name, numDocuments, numChunks, model, topics });
    expect(await (await app.request("/health")).json()).toEqual({ status: "ok" });
  });

  it("has its security headers on every response", async () => {
    const get = (path: string) => app.request(path);
    const responses = [
      get("/"),
      get("/page.js"),
      get("/nowhere"),
      get("/api/search"),
      get("/api/about"),
      getDocument("x"),
    ];
    const foreign = app.request("/", { headers: { host: "evil.example" } });
    const stream = post("/api/complete", { prompt: "x", maxTokens: 1 });
    for (const response of await Promise.all([...responses, foreign, stream, post("/api/search", "{")])) {
      expect(response.headers.get("content-security-policy")).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
          "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
      );
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    }
  });
});

describe("other sites", () => {
  it("may link to the page, and nothing else", async () => {
    const headers = { "sec-fetch-site": "cross-site" };
    expect((await app.request("/", { headers })).status).toBe(200);
    const refused = [app.request("/api/about", { headers }), post("/api/search", { question: "hooks" }, headers)];
    for (const response of await Promise.all(refused)) {
      expect(response.headers.has("access-control-allow-origin")).toBe(false);
      expect(await outcome(response)).toEqual([403, undefined, expect.stringContaining("other sites")]);
    }
  });
});

describe("over HTTP", () => {
  let server: RunningServer;
  beforeEach(async () => {
    server = await listen(app, { port: 0 });
  });
  afterEach(() => server.close());

  const complete = (maxTokens: number, signal?: AbortSignal) =>
    fetch(`${server.url}api/complete`, {
      method: "POST",
      headers: jsonHeaders,
      body: JSON.stringify({ prompt: "Hooks", maxTokens }),
      signal: signal ?? null,
    });

  it("serves the page and answers", async () => {
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(server.url)).text()).toContain("Ask the documents");
    const found = await fetch(`${server.url}api/search`, {
      method: "POST",
      headers: jsonHeaders,
      body: '{"question":"hooks"}',
    });
    expect(((await found.json()) as SearchResponse).passages[0]!.path).toBe("guide/hooks.md");
    expect((await eventsOf(await complete(5))).at(-1)).toMatchObject({ event: "done", data: { numTokens: 5 } });
  });

  it("sends text as it is written, and stops when the client goes", async () => {
    const before = numComputed;
    const client = new AbortController();
    const reader = (await complete(4000, client.signal)).body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^event: text\n/);
    expect(numComputed - before).toBeLessThan(4000);
    client.abort();
    await expect.poll(() => numWriting).toBe(0);
    expect(numComputed - before).toBeLessThan(4000);
    expect((await eventsOf(await complete(2))).at(-1)!.event).toBe("done");
  });

  it("ends streams when it closes, and takes no more requests", async () => {
    const reader = (await complete(4000)).body!.getReader();
    await reader.read();
    await server.close();
    await expect(async () => {
      while (!(await reader.read()).done);
    }).rejects.toThrow();
    await expect.poll(() => numWriting).toBe(0);
    await expect(fetch(server.url)).rejects.toThrow();
    server = await listen(app, { port: 0 });
  });

  it("refuses large bodies of unknown length, and malformed hosts, as it refuses others", async () => {
    const send = async (headers: Record<string, string>, parts: readonly string[]) => {
      const sent = httpRequest(`${server.url}api/search`, { method: "POST", headers: { ...jsonHeaders, ...headers } });
      for (const part of parts) sent.write(part);
      sent.end();
      const [response] = await once(sent, "response");
      let text = "";
      for await (const part of response) text += part;
      expect(response.headers["content-security-policy"]).toContain("default-src 'none'");
      return [response.statusCode, Object.keys(JSON.parse(text))];
    };
    expect(await send({}, ['{"question":', '"hooks"}'])).toEqual([200, ["passages", "milliseconds"]]);
    expect(await send({}, ['{"question":"', "x".repeat(40_000), "x".repeat(40_000)])).toEqual([413, ["error"]]);
    expect(await send({ host: "evil.example" }, ["{}"])).toEqual([403, ["error"]]);
    expect(await send({ host: "a b" }, ["{}"])).toEqual([400, ["error"]]);
  });
});
