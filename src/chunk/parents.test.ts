/** @file The larger passages that small chunks point to. */
import { describe, expect, it } from "vitest";
import { ConfigError } from "../base/errors.js";
import type { Chunk, TokenCounter } from "./chunk.js";
import { parentChild } from "./parent-child.js";
import { sentenceWindow } from "./sentence-window.js";

const counter: TokenCounter = {
  count: (text, start = 0, end = text.length) => text.slice(start, end).match(/\S+/g)?.length ?? 0,
  addsUpAt: (text, index) => /\s/.test(text.charAt(index)),
};
const text = "# A\n\nOne is here. Two is here. Three is\nhere. Four is here.\n\n# B\n\nFive 五。六。Seven is here.";
const shown = (chunks: Iterable<Chunk>): [string, string][] =>
  [...chunks].map(({ text: own, parent }) => [own, text.slice(parent?.start, parent?.end)]);

describe("sentence-window", () => {
  it("gives sentences, and those around them within their section", () => {
    const windows = shown(sentenceWindow.chunk(text, { counter, maxTokens: 50, windowSentences: 1 }));
    expect(windows).toEqual([
      ["# A\n\nOne is here.", "# A\n\nOne is here. Two is here."],
      ["Two is here.", "# A\n\nOne is here. Two is here. Three is\nhere."],
      ["Three is\nhere.", "Two is here. Three is\nhere. Four is here."],
      ["Four is here.", "Three is\nhere. Four is here."],
      ["# B\n\nFive 五。", "# B\n\nFive 五。六。"],
      ["六。", "# B\n\nFive 五。六。Seven is here."],
      ["Seven is here.", "六。Seven is here."],
    ]);
  });

  it("refuses a window that is none", () => {
    const options = { counter, maxTokens: 50, windowSentences: -1 };
    expect(() => [...sentenceWindow.chunk(text, options)]).toThrow(ConfigError);
  });
});

describe("parent-child", () => {
  it("gives chunks inside of larger ones", () => {
    const children = shown(parentChild.chunk(text, { counter, maxTokens: 8, parentTokens: 15 }));
    expect(children).toEqual([
      ["# A\n\nOne is here. Two is here.", "# A\n\nOne is here. Two is here. Three is\nhere. Four is here."],
      ["Three is\nhere. Four is here.", "# A\n\nOne is here. Two is here. Three is\nhere. Four is here."],
      ["# B\n\nFive 五。六。Seven is here.", "# B\n\nFive 五。六。Seven is here."],
    ]);
  });

  it("gives the path of each chunk, not of its parent", () => {
    const nested = "# A\n\nOne two three.\n\n## B\n\nFour five six.";
    const paths = [...parentChild.chunk(nested, { counter, maxTokens: 5, parentTokens: 50 })];
    expect(paths.map(({ headingPath }) => headingPath)).toEqual([["A"], ["A", "B"]]);
  });

  it("refuses parents that are smaller than chunks", () => {
    const options = { counter, maxTokens: 50, parentTokens: 49 };
    expect(() => [...parentChild.chunk(text, options)]).toThrow(ConfigError);
  });
});
