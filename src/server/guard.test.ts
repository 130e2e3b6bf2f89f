import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { requireOwnName, requireSameOrigin } from "./guard.js";
import { Refusal } from "./refusal.js";

async function statusOf(
  middleware: ReturnType<typeof requireOwnName>,
  headers: Record<string, string>,
): Promise<number> {
  const app = new Hono();
  app.onError((thrown, c) => c.text(thrown.message, thrown instanceof Refusal ? thrown.status : 500));
  app.use(middleware);
  app.post("/", (c) => c.text("let in"));
  return (await app.request("/", { method: "POST", headers })).status;
}

describe("requireSameOrigin", () => {
  it("lets in this server's page, and programs that are no browsers", async () => {
    const own = { host: "localhost:8080", origin: "http://localhost:8080", "sec-fetch-site": "same-origin" };
    for (const headers of [own, { host: "localhost:8080" }, { host: "localhost:8080", "sec-fetch-site": "none" }, {}]) {
      expect(await statusOf(requireSameOrigin, headers)).toBe(200);
    }
  });

  it("refuses other sites, other ports among them", async () => {
    const origins = ["http://evil.example", "null", "", "http://localhost:3000", "http://localhost:8080.evil.example"];
    for (const origin of origins) {
      expect([origin, await statusOf(requireSameOrigin, { host: "localhost:8080", origin })]).toEqual([origin, 403]);
    }
    for (const site of ["cross-site", "same-site"]) {
      expect(await statusOf(requireSameOrigin, { "sec-fetch-site": site })).toBe(403);
    }
  });
});

describe("requireOwnName", () => {
  it.each([
    [undefined, ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "[::1]:8080"], 200],
    [undefined, ["evil.example", "localhost.evil.example", "192.168.0.7", "localhost@evil.example", "a b", ":"], 403],
    ["127.0.0.1", ["192.168.0.7", "evil.example"], 403],
    ["box.lan", ["box.lan:8080", "localhost"], 200],
    ["box.lan", ["192.168.0.7", "lan"], 403],
    ["0.0.0.0", ["192.168.0.7:8080", "[fe80::1]:8080", "127.0.0.1"], 200],
    ["::", ["192.168.0.7"], 200],
    ["0.0.0.0", ["evil.example", "1.2.3.4.evil.example"], 403],
  ])("listening on %s: %j get %i", async (host, names, status) => {
    for (const name of names)
      expect([name, await statusOf(requireOwnName(host), { host: name })]).toEqual([name, status]);
  });
});
