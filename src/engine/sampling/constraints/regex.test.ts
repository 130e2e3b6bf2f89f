import { describe, expect, it } from "vitest";
import { CapacityError, ConfigError, UnsupportedError } from "../../../base/errors.js";
import { Rng } from "../../../base/rng.js";
import type { Expression } from "./expression.js";
import { Machine, type MachineState } from "./machine.js";
import { regexExpression, searchExpression } from "./regex.js";

const allBytes = new Uint8Array(256).fill(1);

function matcher(expression: Expression): (text: string) => boolean {
  const machine = new Machine(expression, allBytes);
  return (text) => {
    let state: MachineState | null = machine.start;
    for (const byte of new TextEncoder().encode(text)) {
      state = state && machine.step(state, machine.classOf[byte]!);
    }
    return state?.isFinal === true;
  };
}

const patterns = [
  "a*",
  "(a|b)*abb",
  "a{2,4}b?",
  "(ab){1,3}|c+?",
  "[^ab]+",
  "[a-cé]{2}\\d*",
  "(?:a|(?<name>é))+😀?",
  ".\\.?",
  "\\w+\\s\\W",
  "(a*)*b",
  "((a|b)+c?){2,}",
  "\\x61\\u00e9|\\u{1f600}",
  "(?:ab?){6,9}",
  "[\\d\\-é]+",
  "\\p{Lu}\\P{L}*",
  "|a",
  "^(a|b)c$",
  "(?:a?){8}a{8}",
];
const alphabet = ["a", "b", "c", "é", "😀", ".", "1", "-", " ", "\n", "A"];

describe("regular expressions", () => {
  const rng = new Rng(5);
  const texts = [
    "",
    ...Array.from({ length: 1500 }, () =>
      Array.from({ length: rng.below(10) }, () => alphabet[rng.below(rng.below(2) === 0 ? 3 : alphabet.length)]!).join(
        "",
      ),
    ),
  ];

  it.each(patterns)("match what JavaScript's do: %s", (pattern) => {
    const whole = matcher(regexExpression(pattern));
    const somewhere = matcher(searchExpression(pattern));
    const [expectedWhole, expectedSomewhere] = [new RegExp(`^(?:${pattern})$`, "u"), new RegExp(pattern, "u")];
    for (const text of texts) {
      expect([text, whole(text)]).toEqual([text, expectedWhole.test(text)]);
      expect([text, somewhere(text)]).toEqual([text, expectedSomewhere.test(text)]);
    }
  });

  it("know every character by its UTF-8", () => {
    for (const [start, end] of [
      [0x61, 0x7f],
      [0x70, 0x90],
      [0x7ff, 0x801],
      [0xd7f0, 0xe010],
      [0xfff0, 0x10010],
      [0x3fff0, 0x40010],
      [0x10fff0, 0x10ffff],
    ] as const) {
      const matches = matcher(regexExpression(`[\\u{${start.toString(16)}}-\\u{${end.toString(16)}}]`));
      for (let code = start - 3; code <= Math.min(end + 3, 0x10ffff); code++) {
        if (code >= 0xd800 && code <= 0xdfff) continue;
        expect([code, matches(String.fromCodePoint(code))]).toEqual([code, code >= start && code <= end]);
      }
    }
  });

  it("take linear time where backtracking takes exponential", () => {
    const matches = matcher(regexExpression("(a+)+(a|aa)*b"));
    expect(matches("a".repeat(5000))).toBe(false);
    expect(matches(`${"a".repeat(5000)}b`)).toBe(true);
  });

  it.each([
    ["(?=a)b", "look-around"],
    ["(?<!a)b", "look-around"],
    ["(a)\\1", "back reference"],
    ["(?<x>a)\\k<x>", "back reference"],
    ["a\\b", "word boundary"],
    ["a++", "possessive"],
    ["(?i:a)", "group"],
    ["a^b", "anchor"],
    ["(a$)", "anchor"],
    ["\\p{Nonsense}", "property"],
    ["\\q", "escape"],
  ])("name what cannot be followed: %s", (pattern, name) => {
    expect(() => regexExpression(pattern)).toThrow(UnsupportedError);
    expect(() => regexExpression(pattern)).toThrow(name);
  });

  it.each(["(", ")", "a)", "[", "[b-a]", "[\\d-z]", "*a", "a{3,2}", "a**", "\\", "]", "{"])("refuse %s", (pattern) => {
    expect(() => regexExpression(pattern)).toThrow(ConfigError);
  });

  it("refuse patterns that need too much room", () => {
    expect(() => matcher(regexExpression("(a{1000}){1000}{1000}"))).toThrow(ConfigError);
    expect(() => matcher(regexExpression("a{1000000}"))).toThrow(CapacityError);
    expect(() => matcher(regexExpression(`${"(".repeat(7)}a?${"){0,20}".repeat(7)}`))).toThrow(CapacityError);
    expect(() => regexExpression("(".repeat(300))).toThrow(UnsupportedError);
  });

  it("refuse what no text satisfies", () => {
    expect(() => matcher(regexExpression("a[^\\d\\D]"))).toThrow(/no text of finite length/);
  });
});
