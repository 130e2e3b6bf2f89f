import { describe, expect, it } from "vitest";
import { CapacityError, ConfigError } from "../../../base/errors.js";
import { Rng } from "../../../base/rng.js";
import {
  type ConstraintState,
  choicesConstraint,
  constraints,
  jsonConstraint,
  jsonSchemaConstraint,
  regexConstraint,
} from "./index.js";
import { TokenTrie } from "./token-trie.js";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Random tokens over `symbols`, some without bytes and some twice; every byte of `single` is a token. */
function vocabulary(symbols: readonly string[], single: Iterable<number>, rng: Rng): TokenTrie {
  const words = Array.from({ length: 400 }, () =>
    encode(Array.from({ length: 1 + rng.below(4) }, () => symbols[rng.below(symbols.length)]!).join("")),
  );
  // tokens that end or begin within a character, as those of byte-level BPE
  const parts = words.slice(0, 60).map((bytes) => bytes.subarray(rng.below(2), bytes.length - rng.below(2)));
  return new TokenTrie([...words, undefined, ...parts, ...Array.from(single, (byte) => Uint8Array.of(byte))]);
}

const symbols = [...'{}[]":, 0123abc\\ué', "😀", "true", "null"];
const everyByte = Array.from({ length: 256 }, (_, byte) => byte);

function finished(start: ConstraintState, trie: TokenTrie, rng: Rng, maxTokens: number): Uint8Array | undefined {
  const bytes: number[] = [];
  let state = start;
  for (let count = 0; count < maxTokens; count++) {
    const mask = state.allowed();
    if (state.isFinal && (mask.count === 0 || rng.below(3) === 0)) return Uint8Array.from(bytes);
    expect(mask.count).toBeGreaterThan(0);
    const ids = Array.from({ length: trie.vocabSize }, (_, id) => id).filter((id) => mask.has(id));
    const id = ids[rng.below(ids.length)]!;
    bytes.push(...trie.bytesById[id]!);
    state = state.next(id)!;
  }
  return undefined;
}

describe("constraints over tokens", () => {
  it("allow exactly the tokens that the automaton can read", () => {
    const rng = new Rng(2);
    const trie = vocabulary(symbols, everyByte, rng);
    for (const constraint of [
      jsonConstraint(trie),
      regexConstraint("[ab]*(é|😀)+.{0,3}", trie),
      choicesConstraint(["ab", "abc", "é0"], trie),
    ]) {
      let state = constraint.start();
      for (let step = 0; step < 8; step++) {
        const mask = state.allowed();
        const expected = Array.from({ length: trie.vocabSize }, (_, id) => state.next(id) !== undefined);
        expect(Array.from(expected, (_, id) => mask.has(id))).toEqual(expected);
        expect(mask.count).toBe(expected.filter(Boolean).length);
        const allowed = [...expected.keys()].filter((id) => expected[id]);
        const next = state.next(allowed[rng.below(allowed.length)] ?? -1);
        if (next === undefined) break;
        state = next;
      }
    }
  });

  it("apply their mask to logits of any length", () => {
    const trie = vocabulary(symbols, everyByte, new Rng(9));
    const mask = regexConstraint("a+", trie).start().allowed();
    const logits = new Float32Array(trie.vocabSize + 40).fill(1);
    mask.apply(logits);
    for (const [id, logit] of logits.entries()) expect(logit).toBe(mask.has(id) ? 1 : Number.NEGATIVE_INFINITY);
  });

  it("never lead to a dead end, whatever bytes the vocabulary lacks", () => {
    const rng = new Rng(6);
    const ascii = Array.from({ length: 128 }, (_, byte) => byte);
    const trie = vocabulary(symbols, ascii, rng);
    const constraint = jsonConstraint(trie);
    let numFinished = 0;
    for (let round = 0; round < 60; round++) {
      const bytes = finished(constraint.start(), trie, rng, 60);
      if (bytes === undefined) continue;
      numFinished++;
      const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
      expect(typeof value).toBe("object");
    }
    expect(numFinished).toBeGreaterThan(5);
  });

  it("give one of the choices", () => {
    const rng = new Rng(8);
    const trie = vocabulary(symbols, everyByte, rng);
    const choices = ["ab", "abc", "b", "é", "éa 😀"];
    const constraint = constraints.choices(choices, trie);
    const found = new Set<string>();
    for (let round = 0; round < 200; round++) {
      const bytes = finished(constraint.start(), trie, rng, 60);
      if (bytes !== undefined) found.add(new TextDecoder().decode(bytes));
    }
    expect([...found].sort()).toEqual([...choices].sort());
  });

  it("refuse what the vocabulary cannot write, and choices that are none", () => {
    const trie = new TokenTrie([encode("a"), encode("b")]);
    expect(() => regexConstraint("ac", trie)).toThrow(/vocabulary lacks/);
    expect(regexConstraint("ac|b", trie).start().allowed().count).toBe(1);
    expect(() => choicesConstraint([], trie)).toThrow(ConfigError);
    expect(() => choicesConstraint([""], trie)).toThrow(ConfigError);
    expect(() => choicesConstraint(["\ud800"], trie)).toThrow(ConfigError);
  });

  it("refuse to look for tokens for long where a pattern is too ambiguous", () => {
    const rng = new Rng(4);
    const words = Array.from({ length: 300 }, () => Uint8Array.from({ length: 60 }, () => 97 + rng.below(2)));
    const trie = new TokenTrie([...words, Uint8Array.of(97), Uint8Array.of(98)]);
    const state = regexConstraint("(?:a{0,200}b?[ab]{0,200}a?){0,90}", trie).start();
    expect(() => state.allowed()).toThrow(CapacityError);
  });

  it("stay within memory while nesting deepens", () => {
    const trie = vocabulary(symbols, everyByte, new Rng(3));
    const id = (text: string): number => trie.vocabSize - 256 + text.charCodeAt(0);
    let state = jsonSchemaConstraint(true, trie).start();
    for (let depth = 0; depth < 3000; depth++) state = state.next(id("["))!;
    for (let depth = 0; depth < 3000; depth++) state = state.next(id("]"))!;
    expect(state.isFinal).toBe(true);
  });
});
