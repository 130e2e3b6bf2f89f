/** @file Every route of the Studio: who is let in, what is refused, what every answer carries. */

import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KnowledgeBase } from "../../src/pipeline/knowledge-base/knowledge-base.js";
import { openStudio, type Studio } from "../../src/pipeline/studio/studio.js";
import { listen } from "../../src/server/adapters/node.js";
import { createStudioApp } from "../../src/server/studio/app.js";
import { routes } from "../../src/server/studio/routes/index.js";
import type { RouteDef } from "../../src/server/studio/routes/route.js";
import type { ErrorResponse } from "../../src/server/studio/wire/index.js";
import { buildStudio } from "../support/built-studio.js";

const KEY = "a key that nobody guesses";

let root: string;
let studio: Studio;
let open: Hono;
let locked: Hono;
const bugs: unknown[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-routes-"));
  const [folder, workspace] = [join(root, "docs"), join(root, "workspace")];
  await writeFile(join(root, "secret.txt"), "not indexed");
  await mkdir(folder);
  await writeFile(join(folder, "hooks.md"), "# Hooks\n\nHooks run before a route.\n");
  await using knowledge = await KnowledgeBase.open(folder, { workspace });
  await knowledge.sync();
  studio = await openStudio({ folder, workspace });
  const assets = await buildStudio();
  const onError = (thrown: unknown) => bugs.push(thrown);
  open = createStudioApp(studio, { assets, onError });
  locked = createStudioApp(studio, { assets, onError, key: KEY });
});
afterAll(async () => {
  expect(bugs).toEqual([]);
  await studio?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

const all: [name: string, route: RouteDef][] = Object.entries<RouteDef>(routes);
const closed = all.filter(([, { isOpen }]) => !isOpen);
const api = all.filter(([, { path }]) => path.startsWith("/api/"));
const posts = api.filter(([, { method }]) => method === "POST");

/** A path that the route answers, its parameters filled with something that is not there. */
const pathOf = ({ path }: RouteDef): string => path.replaceAll(/:\w+(\{[^}]*\})?/g, "nothing");

const send = (app: Hono, route: RouteDef, headers: Record<string, string> = {}, body = "{") =>
  app.request(pathOf(route), {
    method: route.method,
    headers: { ...(route.method === "POST" && { "content-type": "application/json" }), ...headers },
    ...(route.method === "POST" && { body }),
  });

async function refusalOf(response: Response): Promise<[number, string]> {
  const { error } = (await response.json()) as ErrorResponse;
  return [response.status, error.message];
}

describe.each(all)("%s", (_name, route) => {
  it("answers with the policy and no word for other sites", async () => {
    const response = await send(open, route);
    expect(response.headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.has("access-control-allow-origin")).toBe(false);
    await response.body?.cancel();
  });

  it("does not answer to another name", async () => {
    const [status, message] = await refusalOf(await send(open, route, { host: "evil.example" }));
    expect([status, message]).toEqual([403, expect.stringContaining("this server answers to")]);
  });

  it("says which method it takes", async () => {
    const response = await open.request(pathOf(route), { method: "DELETE" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toContain(route.method);
  });
});

describe.each(api)("%s, of another site's page", (_name, route) => {
  it.each<[string, Record<string, string>]>([
    ["cross-site", { "sec-fetch-site": "cross-site" }],
    ["another port", { origin: "http://localhost:9999" }],
    ["no origin", { origin: "null" }],
  ])("is refused: %s", async (_kind, headers) => {
    expect(await refusalOf(await send(open, route, headers))).toEqual([403, expect.stringContaining("other sites")]);
  });
});

describe.each(posts)("%s, as a form would send it", (_name, route) => {
  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])(
    "is refused: %s",
    async (type) => {
      const [status] = await refusalOf(await send(open, route, { "content-type": type }, "{}"));
      expect([400, 409, 415]).toContain(status);
    },
  );
});

describe.each(closed)("%s, where the server has a key", (_name, route) => {
  it.each<[string, Record<string, string>]>([
    ["no key", {}],
    ["another key", { authorization: "Bearer another key that is long" }],
    ["a made-up session", { cookie: "tessera-session=00000000-0000-4000-8000-000000000000" }],
  ])("is refused: %s", async (_kind, headers) => {
    expect(await refusalOf(await send(locked, route, headers))).toEqual([401, expect.stringContaining("key")]);
  });

  it("is refused with the key in the address", async () => {
    const path = `${pathOf(route)}?key=${encodeURIComponent(KEY)}`;
    expect((await locked.request(path, { method: route.method })).status).toBe(401);
  });
});

describe("signing in", () => {
  const signIn = (key: string) => send(locked, routes.signIn, {}, JSON.stringify({ key }));

  it("gives a cookie that scripts and other sites do not get", async () => {
    const response = await signIn(KEY);
    const cookie = response.headers.get("set-cookie")!;
    expect(cookie).toMatch(/^tessera-session=[\w-]+; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(KEY);
    const [session] = cookie.split(";");
    expect((await send(locked, routes.state, { cookie: session! })).status).toBe(200);
  });

  it("refuses other keys and shows the page without one", async () => {
    for (const key of ["", "another key", `${KEY} `]) expect((await signIn(key)).status).toBeGreaterThanOrEqual(400);
    expect((await locked.request("/")).status).toBe(200);
    expect((await send(locked, routes.state, { authorization: `Bearer ${KEY}` })).status).toBe(401);
    const tight = createStudioApp(studio, { assets: new Map(), key: "0123456789abcdef" });
    expect((await send(tight, routes.state, { authorization: "Bearer 0123456789abcdef" })).status).toBe(200);
  });
});

it.each([
  "/secret.txt",
  "/../secret.txt",
  "/%2e%2e/secret.txt",
  "/assets/../secret.txt",
  "/assets/..%2f..%2fsecret.txt",
  "/assets/__proto__",
  "/assets/%00",
])("gives no file beside the page's own: %s", async (path) => {
  expect((await open.request(path)).status).toBe(404);
});

it("refuses large bodies of unknown length, and malformed hosts, as it refuses others", async () => {
  const server = await listen(open, { port: 0 });
  const post = async (headers: Record<string, string>, parts: readonly string[]) => {
    const sent = httpRequest(`${server.url}api/job`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
    });
    for (const part of parts) sent.write(part);
    sent.end();
    const [response] = await once(sent, "response");
    let text = "";
    for await (const part of response) text += part;
    expect(response.headers["content-security-policy"]).toContain("default-src 'none'");
    return [response.statusCode, Object.keys(JSON.parse(text))];
  };
  try {
    expect(await post({}, ['{"action":"', "x".repeat(40_000), "x".repeat(40_000)])).toEqual([413, ["error"]]);
    expect(await post({ host: "evil.example" }, ["{}"])).toEqual([403, ["error"]]);
    expect(await post({ host: "a b" }, ["{}"])).toEqual([400, ["error"]]);
    expect(await post({}, ['{"action":"stop"}'])).toEqual([409, ["error"]]);
  } finally {
    await server.close();
  }
});

it("ends event streams when it closes", async () => {
  const server = await listen(open, { port: 0 });
  const reader = (await fetch(`${server.url}api/events`)).body!.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  expect(first).toMatch(/^event: state\ndata: \{"folder":"docs"/);
  await server.close();
  await expect(async () => {
    while (!(await reader.read()).done);
  }).rejects.toThrow();
});
