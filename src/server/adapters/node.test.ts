import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../base/errors.js";
import { listen } from "./node.js";

const app = new Hono().get("/", (c) => c.text("here"));

describe("listen", () => {
  it("takes a free port, on this machine only, until it closes", async () => {
    const server = await listen(app, { port: 0 });
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(server.url)).text()).toBe("here");
    await Promise.all([server.close(), server.close()]);
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it("gives a URL that a browser can open", async () => {
    const everywhere = await listen(app, { port: 0, host: "0.0.0.0" });
    expect(everywhere.url).toMatch(/^http:\/\/localhost:\d+\/$/);
    await everywhere.close();
  });

  it("waits for answers that are no streams", async () => {
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const slow = new Hono().get("/", async (c) => {
      await answered;
      return c.text("late");
    });
    const server = await listen(slow, { port: 0 });
    const response = fetch(server.url);
    await expect.poll(() => fetch(server.url, { method: "POST" }).then(({ status }) => status)).toBe(404);
    const closed = server.close();
    answer();
    expect(await (await response).text()).toBe("late");
    await closed;
  });

  it("says what to do when it cannot listen", async () => {
    const server = await listen(app, { port: 0 });
    const port = Number(new URL(server.url).port);
    const again = listen(app, { port });
    await expect(again).rejects.toThrow(ConfigError);
    await expect(again).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`);
    await expect(again).rejects.toThrow("--port");
    await server.close();
    await expect(listen(app, { port: 0, host: "192.0.2.1" })).rejects.toThrow(
      "192.0.2.1 is no address of this machine",
    );
  });
});
