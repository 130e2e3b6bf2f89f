import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { trainByteLevelBpe } from "../../tokenizers/index.js";
import { type ContextRequest, chooseContext, contextStrategies } from "./index.js";

const document = readFileSync(new URL("../../../docs/decisions/002-embedded-index.md", import.meta.url), "utf8");
const counter = trainByteLevelBpe([document], { vocabSize: 1000 });
const question = "Why was better-sqlite3 not chosen?";
const request = (more: Partial<ContextRequest> = {}): ContextRequest => ({
  document,
  counter,
  question,
  budget: 300,
  ...more,
});

describe.each(Object.entries(contextStrategies))("%s", (name, strategy) => {
  it("never takes a token more than the budget, keeps places, and does so again", async () => {
    expect(strategy.name).toBe(name);
    const most = counter.count(document);
    for (const budget of [1, 5, 17, 64, 300, 1000, most - 1, most, most + 1]) {
      const packing = await strategy.pack(request({ budget }));
      if (!packing) {
        // too little for a word of the question
        expect(budget).toBeLessThan(name === "whole" ? most : 16);
        continue;
      }
      const { text, spans, numTokens } = packing;
      expect(numTokens).toBe(counter.count(text));
      expect(numTokens).toBeLessThanOrEqual(budget);
      for (const { start, end } of spans) expect(text).toContain(document.slice(start, end));
      const starts = spans.map(({ start }) => start);
      expect(starts).toEqual([...starts].sort((a, b) => a - b));
      expect(spans.every(({ start }, i) => i === 0 || start >= spans[i - 1]!.end)).toBe(true);
      // what lies between the parts is left out or white space
      const left = spans.reduce((rest, { start, end }) => rest.replace(document.slice(start, end), ""), text);
      expect(left.replaceAll("[…]", "").trim()).toBe("");
      expect(await strategy.pack(request({ budget }))).toEqual(packing);
    }
  });
});

describe("what is kept", () => {
  it.each(["retrieve", "compress"] as const)("holds the answer (%s)", async (way) => {
    const packing = await contextStrategies[way].pack(request({ budget: 200 }));
    expect(packing!.text).toContain("better-sqlite3 13.2.0 segfaults on Node 20");
  });

  it("follows an embedder where words do not meet", async () => {
    // one direction per subject
    const vectorOf = (text: string): Float32Array => Float32Array.from(/crash|segfault/.test(text) ? [1, 0] : [0, 1]);
    const embed = async (texts: readonly string[]) => texts.map(vectorOf);
    const asked = { question: "crash", budget: 200 };
    expect(await contextStrategies.retrieve.pack(request(asked))).toBeUndefined();
    const packing = await contextStrategies.retrieve.pack(request({ ...asked, embed }));
    expect(packing!.text).toContain("segfaults");
  });

  it("is spread over the document where nothing is asked", async () => {
    const { question: _, ...open } = request({ budget: 400 });
    const { spans } = (await contextStrategies.compress.pack(open))!;
    expect(spans.length).toBeGreaterThan(5);
    expect(spans.at(-1)!.end - spans[0]!.start).toBeGreaterThan(document.length / 2);
  });
});

describe("the choice", () => {
  it("says what and why, with the counts", async () => {
    const most = counter.count(document);
    const whole = await chooseContext(request({ budget: most }));
    expect(whole).toMatchObject({ strategy: "whole", text: document, documentTokens: most });
    expect(whole.reason).toBe(`all ${most} tokens fit the budget of ${most}`);
    const passages = await chooseContext(request({ budget: 400 }));
    expect(passages).toMatchObject({ strategy: "retrieve", budget: 400 });
    expect(passages.reason).toBe(
      `${most} tokens are more than the budget of 400: kept ${passages.spans.length} passages with ${passages.numTokens} tokens, the best for the question`,
    );
    const small = await chooseContext(request({ budget: 383 }));
    expect(small.strategy).toBe("compress");
    expect(small.reason).toMatch(
      /which is small for passages: kept \d+ sentences with \d+ tokens, the best for the question$/,
    );
    const embed = async (texts: readonly string[]) => texts.map(() => Float32Array.of(1));
    expect((await chooseContext(request({ budget: 100, embed }))).strategy).toBe("retrieve");
    const { question: _, ...open } = request();
    expect((await chooseContext(open)).reason).toContain(", and there is no question: kept ");
    const foreign = await chooseContext(request({ question: "Quarks?" }));
    expect(foreign.reason).toContain(", and the document has no word of the question: kept ");
    expect(foreign.strategy).toBe("compress");
  });

  it("says what is wrong", async () => {
    await expect(chooseContext(request({ budget: 0 }))).rejects.toThrow("a whole number of tokens from 1, got 0");
    const long = { document: "\ud83d\ude00".repeat(50), question: "none", budget: 1 };
    await expect(chooseContext(request(long))).rejects.toThrow(/maxTokens|not one sentence/);
  });
});
