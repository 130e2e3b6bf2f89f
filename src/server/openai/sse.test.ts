import { describe, expect, it } from "vitest";
import { Call } from "./call.js";
import { frameStream, maxUnreadBytes } from "./sse.js";

const newCall = (): Call => new Call("id", "POST", "/v1/completions");

async function* numbered(count: number, size: number, seen: number[] = []): AsyncGenerator<unknown, void> {
  for (let i = 0; i < count; i++) {
    seen.push(i);
    yield { i, text: "x".repeat(size) };
  }
}

describe("frameStream", () => {
  it("sends frames and the end, and ends the call", async () => {
    const call = newCall();
    const text = await new Response(frameStream(numbered(2, 1), call, () => {})).text();
    expect(text).toBe('data: {"i":0,"text":"x"}\n\ndata: {"i":1,"text":"x"}\n\ndata: [DONE]\n\n');
    await call.ended;
    expect(call.record.error).toBeUndefined();
  });

  it("gives up a reader that leaves too much unread, and says so", async () => {
    const call = newCall();
    const seen: number[] = [];
    const stream = frameStream(numbered(100, 1_000_000, seen), call, () => {});
    await call.ended;
    expect(seen.length).toBe(Math.ceil(maxUnreadBytes / 1_000_000));
    expect(call.record).toMatchObject({ status: 503, error: { code: "reader_too_slow" } });
    const text = await new Response(stream).text();
    expect(text.endsWith('"code":"reader_too_slow"}}\n\n')).toBe(true);
  });

  it("tells of failures that are bugs only to the server", async () => {
    const bugs: unknown[] = [];
    async function* broken(): AsyncGenerator<unknown, void> {
      yield 1;
      throw new Error("secret");
    }
    const text = await new Response(frameStream(broken(), newCall(), (thrown) => bugs.push(thrown))).text();
    expect(text).toContain('"code":"internal_error"');
    expect(text).not.toContain("secret");
    expect(bugs).toEqual([new Error("secret")]);
  });
});
