/** @file The part of a stream that is held. */
import { describe, expect, it } from "vitest";
import { TextWindow } from "./text-window.js";

describe("TextWindow", () => {
  it("holds a whole text", () => {
    const window = TextWindow.of("abc");
    expect([window.text, window.base, window.isComplete]).toEqual(["abc", 0, true]);
    expect([window.reach(1, 1), window.reach(1, 9)]).toEqual([2, 3]);
  });

  it("lets go of text before what is kept, and keeps positions", () => {
    const window = new TextWindow();
    expect(window.append("abcdef")).toBe(true);
    window.keepFrom(4);
    expect(window.append("ghi")).toBe(true);
    expect([window.text, window.base, window.text.charAt(5 - window.base)]).toEqual(["efghi", 4, "f"]);
  });

  it("does not know where the text ends until it is complete", () => {
    const window = new TextWindow();
    window.append("abc");
    expect([window.reach(0, 3), window.reach(0, 4)]).toEqual([3, -1]);
    window.complete();
    expect(window.reach(0, 4)).toBe(3);
  });

  it("copies each character a few times only, however small the pieces", () => {
    const window = new TextWindow();
    let copied = 0;
    for (let i = 0; i < 100_000; i++) {
      if (window.append("x")) copied += window.text.length;
      window.keepFrom(Math.max(0, window.base + window.text.length - 1000));
    }
    window.complete();
    expect(copied).toBeLessThan(300_000);
    expect(window.base + window.text.length).toBe(100_000);
  });
});
