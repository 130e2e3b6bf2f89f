/** @file What holds for every normaliser: the edits are the text, spans lead back, and seams are where they are said to be. */

import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../base/errors.js";
import { Rng } from "../../base/rng.js";
import { applyEdits, changeMap, type TextChange } from "../text-change.js";
import { Charsmap } from "./charsmap.js";
import { readNormalizer } from "./index.js";
import { PrecompiledNormalizer } from "./precompiled.js";

/**
 * A charsmap for keys of one to three bytes, laid out as darts-clone does: a unit holds its label, whether a value follows, and
 * the offset to its children. Every node has 256 places of its own, so that offsets never clash.
 */
function charsmapOf(rules: Readonly<Record<string, string>>): Charsmap {
  const nodes: Map<number, number>[] = [new Map()];
  const values = new Map<number, number>();
  let strings = "";
  for (const [key, content] of Object.entries(rules)) {
    let node = 0;
    for (const byte of new TextEncoder().encode(key)) {
      const next = nodes[node]!.get(byte) ?? nodes.length;
      if (next === nodes.length) nodes.push(new Map());
      nodes[node]!.set(byte, next);
      node = next;
    }
    values.set(node, new TextEncoder().encode(strings).length);
    strings += `${content}\0`;
  }
  const units = new Uint32Array(256 * (nodes.length + 1));
  const places = nodes.map(() => 0);
  nodes.forEach((children, node) => {
    const block = 256 * (node + 1);
    const offset = places[node]! ^ block;
    const hasValue = values.has(node);
    units[places[node]!]! |=
      (offset < 1 << 21 ? offset << 10 : ((offset >>> 8) << 10) | 0x200) | (hasValue ? 0x100 : 0);
    if (hasValue) units[block] = 0x80000000 | values.get(node)!;
    for (const [byte, child] of children) {
      places[child] = block ^ byte;
      units[block ^ byte] = byte;
    }
  });
  const text = new TextEncoder().encode(strings);
  const bytes = new Uint8Array(4 + units.byteLength + text.length);
  new DataView(bytes.buffer).setUint32(0, units.byteLength, true);
  bytes.set(new Uint8Array(units.buffer), 4);
  bytes.set(text, 4 + units.byteLength);
  return new Charsmap(bytes);
}

const charsmap = charsmapOf({ ﬁ: "fi", "e\u0301": "é", "\u3000": " ", Ａ: "A", "①": "(1)", "\u200b": "", "``": '"' });

const read = (entry: { type: string; [key: string]: unknown }): TextChange => readNormalizer(entry)!;
const sequence = (...normalizers: { type: string }[]) => ({ type: "Sequence", normalizers });
const space = { type: "Replace", pattern: { Regex: " {2,}" }, content: " " };
const changes: Record<string, TextChange> = {
  NFKD: read({ type: "NFKD" }),
  Lowercase: read({ type: "Lowercase" }),
  StripAccents: read({ type: "StripAccents" }),
  Nmt: read({ type: "Nmt" }),
  Strip: read({ type: "Strip", strip_left: true, strip_right: true }),
  Prepend: read({ type: "Prepend", prepend: "▁" }),
  Replace: read({ type: "Replace", pattern: { String: " " }, content: "▁" }),
  "Replace two": read({ type: "Replace", pattern: { String: "a\u0301" }, content: "<á>" }),
  "Replace spaces": read(space),
  ByteLevel: read({ type: "ByteLevel" }),
  BertNormalizer: read({ type: "BertNormalizer" }),
  "BertNormalizer cased": read({ type: "BertNormalizer", lowercase: false, handle_chinese_chars: false }),
  Precompiled: new PrecompiledNormalizer(charsmap),
  ALBERT: read(sequence({ type: "NFKD" }, { type: "StripAccents" }, { type: "Lowercase" }, space)),
};

const pool = [
  ..."aeΣςİIÅéﬁｶﾞが한각中国ＡⅧǄ①😀👍🏽🇨🇳 \t\n\u00a0\u3000\u200b\u200d\u0000\u00ad\u0301\u0327\u0c3c\u1100\u1161_``",
];

function randomText(rng: Rng, length: number): string {
  const character = (): string => {
    const codePoint = rng.below(0x11000);
    return codePoint >= 0xd800 && codePoint <= 0xdfff ? "x" : String.fromCodePoint(codePoint);
  };
  return Array.from({ length: rng.below(length) }, () =>
    rng.below(5) > 0 ? pool[rng.below(pool.length)] : character(),
  ).join("");
}

describe.each(Object.entries(changes))("%s", (name, change) => {
  it("makes of a text what its edits say, and leads every code unit back", () => {
    const rng = new Rng(3);
    for (let round = 0; round < 600; round++) {
      const text = randomText(rng, 14);
      const changed = change.apply(text, false);
      const edited = applyEdits(change, text, false);
      if (edited !== changed) expect(edited, JSON.stringify(text)).toBe(changed);
      const map = changeMap(change, text, false, 5, undefined);
      let last = 5;
      for (let i = 0; i < changed.length; i++) {
        const [start, end] = [map.start(i), map.end(i + 1)];
        if (start < last || end < start || end > 5 + text.length)
          expect.fail(`${JSON.stringify(text)}: ${start}-${end} at ${i}`);
        last = start;
      }
    }
  });

  it("changes the two sides of a seam for themselves", () => {
    const rng = new Rng(4);
    let seams = 0;
    for (let round = 0; round < 2500; round++) {
      const text = randomText(rng, 10);
      const index = 1 + rng.below(Math.max(1, text.length - 1));
      if (index >= text.length || /[\ud800-\udfff]/.test(text.slice(index - 1, index + 1))) continue;
      const pair = change.seam(text, index);
      if (pair === undefined) continue;
      seams++;
      const [left, right] = [change.apply(text.slice(0, index), false), change.apply(text.slice(index), false)];
      if (left + right !== change.apply(text, false))
        expect(left + right, JSON.stringify([text, index])).toBe(change.apply(text, false));
      if (left.at(-1) !== pair[0]) expect(left.at(-1), JSON.stringify([text, index])).toBe(pair[0]);
    }
    if (name !== "Prepend") expect(seams).toBeGreaterThan(50);
  });
});

describe("Precompiled", () => {
  const change = changes.Precompiled!;

  it.each([
    ["ﬁne Ａ①", "fine A(1)"],
    ["cafe\u0301", "café"],
    ["a\u200bb\u3000c", "ab c"],
    ["ﬁ\u0301", "fi"], // the whole grapheme becomes what its beginning does: so does the library
    ["``a``", "``a``"], // two graphemes
  ])("%j becomes %j", (text, expected) => {
    expect(change.apply(text, false)).toBe(expected);
  });

  it("refuses tables that do not fit", () => {
    expect(() => new Charsmap(Uint8Array.of(8, 0, 0, 0, 1, 2))).toThrow(CheckpointError);
    expect(() => new Charsmap(new Uint8Array(0))).toThrow(CheckpointError);
  });
});
