import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../base/errors.js";
import { Rng } from "../../../base/rng.js";
import { type Constraint, formConstraint, type TextForm, TokenTrie, wordsOf } from "./index.js";

const trie = new TokenTrie(Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)));

/** Whether a text is whole, part of one, or neither. */
function reads(constraint: Constraint, text: string): "whole" | "part" | "none" {
  let state = constraint.start();
  for (const byte of new TextEncoder().encode(text)) {
    const next = state.next(byte);
    if (next === undefined) return "none";
    state = next;
  }
  return state.isFinal ? "whole" : "part";
}

describe("free text", () => {
  it.each(["<call>", "aab", "[x[y]"])("is all but what holds %s", (mark) => {
    const constraint = formConstraint({ type: "free", without: mark }, trie);
    const rng = new Rng(1);
    const symbols = [...new Set(mark), "é", " "];
    let numHolding = 0;
    for (let i = 0; i < 2000; i++) {
      const parts = Array.from({ length: rng.below(8) }, () =>
        rng.below(4) === 0 ? mark.slice(0, 1 + rng.below(mark.length)) : symbols[rng.below(symbols.length)]!,
      );
      const text = parts.join("");
      numHolding += Number(text.includes(mark));
      expect(reads(constraint, text), text).toBe(text.includes(mark) ? "none" : "whole");
    }
    expect(numHolding).toBeGreaterThan(50);
  });

  it("may be kept from beginning with some characters", () => {
    const constraint = formConstraint({ type: "free", without: "<|tag|>", notFirst: "{;" }, trie);
    for (const text of ["", " \n", "a{", " <|a", "<{", "é;"]) expect(reads(constraint, text), text).toBe("whole");
    for (const text of ["{", "\n {a", ";", "a<|tag|>", " <|tag|>"]) expect(reads(constraint, text), text).toBe("none");
  });
});

describe("a form", () => {
  const call = { type: "sequence", parts: ["<", { type: "json", schema: { type: "boolean" } }, ">"] } as const;
  const form: TextForm = {
    type: "sequence",
    parts: [
      { type: "free", without: "<" },
      { type: "repeat", part: call, min: 0, max: 2 },
    ],
  };

  it("goes on from words to JSON and back", () => {
    const constraint = formConstraint(form, trie);
    for (const text of ["", "hi", "hi<true>", "<false><true>"]) expect(reads(constraint, text), text).toBe("whole");
    for (const text of ["hi<", "<tru"]) expect(reads(constraint, text), text).toBe("part");
    for (const text of ["<5", "<true>!", "<true><true><"]) expect(reads(constraint, text), text).toBe("none");
    expect(wordsOf(form)).toEqual(["<", ">"]);
  });

  it("may have begun", () => {
    const constraint = formConstraint({ type: "choice", options: [call, { type: "json" }] }, trie, "<t");
    expect(reads(constraint, "rue>")).toBe("whole");
    expect(reads(constraint, "<true>")).toBe("none");
    expect(() => formConstraint(call, trie, "{")).toThrow(ConfigError);
    expect(() => formConstraint(call, trie, "{")).toThrow("begins with {");
  });

  it("names a schema that cannot be followed", () => {
    const wrong: TextForm = { type: "json", schema: { properties: { a: { not: {} } } }, name: "tools.3" };
    expect(() => formConstraint(wrong, trie)).toThrow("tools.3#/properties/a: a constraint cannot follow not");
  });
});
