import { Hono } from "hono";
import { expect, it } from "vitest";
import { ConfigError } from "../base/errors.js";
import { describeFailure, Refusal } from "./refusal.js";

it("tells clients what was thrown on purpose, and only the log of bugs", async () => {
  const bug = new Error("secret detail");
  const bugs: unknown[] = [];
  const messages: unknown[] = [];
  for (const thrown of [
    new Refusal(400, "limit: too large", "limit"),
    new ConfigError("index: gone; run again"),
    bug,
  ]) {
    const app = new Hono();
    app.get("/", () => {
      throw thrown;
    });
    app.onError((error, c) => {
      const { status, body } = describeFailure(error, (heard) => bugs.push(heard));
      return c.json(body, status);
    });
    const response = await app.request("/");
    messages.push([response.status, await response.json()]);
  }
  expect(messages).toEqual([
    [400, { error: { message: "limit: too large", field: "limit" } }],
    [500, { error: { message: "index: gone; run again" } }],
    [500, { error: { message: "the server failed; its terminal says why" } }],
  ]);
  expect(bugs).toEqual([bug]);
});
