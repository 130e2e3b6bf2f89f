import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FaultList } from "../faults.js";
import { partOf } from "./find-files.js";
import { findJsonFault } from "./json-fault.js";
import { arrayElements, lines, type RowText } from "./row-text.js";
import { readRows } from "./rows.js";

async function* pieces(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

async function all(rows: AsyncIterable<RowText>): Promise<RowText[]> {
  const found: RowText[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

describe("findJsonFault", () => {
  it.each([
    ['{"a": 1,}', 8, 'a key in double quotes, found "}"'],
    ['{"a" 1}', 5, 'a colon, found "1"'],
    ["{'a': 1}", 1, 'a key in double quotes or }, found "\'"'],
    ['{"a": tru}', 6, 'a value, found "tru"'],
    ['{"a": [1 2]}', 9, 'a comma or ], found "2"'],
    ['{"a": 01}', 6, 'a value, found "01"'],
    ['{"a": "b', 8, "the double quote that ends a string, found the end"],
    ['{"a": "\\x"}', 7, "an escape such as"],
    ['{"a": "b\tc"}', 8, "\\t in a string, found the character itself"],
    ['{"a": 1} {"b": 2}', 9, 'the end of the row, found "{"'],
    ["[1", 2, "a comma or ], found the end"],
    ["", 0, "a value, found the end"],
    ['{"a": NaN}', 6, 'a value, found "NaN"'],
  ])("%s: at %i", (text, offset, message) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(findJsonFault(text)).toEqual({ offset, message: expect.stringContaining(message) });
  });

  it.each(['{"a": [1, -2.5e+3, "\\u00e9\\n", true, null, {}, []]}', ' "x" ', "0"])("finds none in %s", (text) => {
    expect(findJsonFault(text)).toBeUndefined();
  });
});

describe("arrayElements", () => {
  const text = '\n[ {"a": "}],[\\"", "b": [1, {"c": 2}]},\n  3 , "x\\\\"\n, [4]]\n';

  it("gives each element with its place, however the text comes in pieces", async () => {
    for (const size of [1, 2, 3, 7, 1000]) {
      const rows = await all(arrayElements(pieces(text, size)));
      expect(rows.map((row) => JSON.parse(row.text) as unknown)).toEqual([
        { a: '}],["', b: [1, { c: 2 }] },
        3,
        "x\\",
        [4],
      ]);
      expect(rows.map(({ line, column }) => [line, column])).toEqual([
        [2, 3],
        [3, 3],
        [3, 7],
        [4, 3],
      ]);
    }
  });

  it.each([
    ["[1, 2", "expected ], found the end of the file", 1, 6],
    ["[1] 2", 'expected the end of the file after ], found "2"', 1, 5],
    ["\nx", 'expected [, which opens the list of rows, found "x"', 2, 1],
  ])("says where %j is no list", async (broken, fault, line, column) => {
    const rows = await all(arrayElements(pieces(broken, 1)));
    expect(rows.at(-1)).toEqual({ text: "", fault, line, column });
  });

  it("leaves a missing element and one that is cut off to the parser", async () => {
    expect((await all(arrayElements(pieces("[1,]", 9)))).map((row) => row.text)).toEqual(["1", ""]);
    expect((await all(arrayElements(pieces('[{"a": [1}', 3)))).map((row) => row.text)).toEqual(['{"a": [1}']);
    expect(await all(arrayElements(pieces("[ ]", 9)))).toEqual([]);
  });
});

describe("lines", () => {
  it("gives each line that is not blank, however the text comes in pieces", async () => {
    for (const size of [1, 3, 100]) {
      const rows = await all(lines(pieces("a\r\n\n  \nbc\nd", size)));
      expect(rows.map((row) => [row.text.trim(), row.line])).toEqual([
        ["a", 1],
        ["bc", 4],
        ["d", 5],
      ]);
    }
  });
});

describe("readRows", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tessera-rows-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function read(name: string, contents: string | Uint8Array) {
    await writeFile(join(folder, name), contents);
    const faults = new FaultList();
    const values: unknown[] = [];
    for await (const { value } of readRows(join(folder, name), name, faults)) values.push(value);
    const message = (): string => {
      try {
        faults.throwIfAny("reading");
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    return { values, message: message() };
  }

  it("goes on after a line that is no JSON", async () => {
    const { values, message } = await read("a.jsonl", '\ufeff{"a": 1}\n{"a": 2,}\n\n{"a" 3}\n{"a": 4}');
    expect(values).toEqual([{ a: 1 }, { a: 4 }]);
    expect(message).toBe(
      'reading: 2 faults:\n  a.jsonl:2:9: expected a key in double quotes, found "}"\n' +
        '  a.jsonl:4:6: expected a colon, found "3"',
    );
  });

  it("stops in an array at what is no JSON, and says where", async () => {
    const { values, message } = await read("a.json", '[\n  {"a": 1},\n  {\n    "a": b\n  },\n  {"a": 3}\n]');
    expect(values).toEqual([{ a: 1 }]);
    expect(message).toBe('reading: 1 fault:\n  a.json:4:10: expected a value, found "b"');
    expect((await read("b.json", '[{"a": 1},]')).message).toContain("b.json:1:11: expected a value, found the end");
  });

  it("reads lines of .json and arrays of .jsonl, unpacks gzip", async () => {
    expect((await read("a.json", '{"a": 1}\n{"a": 2}\n')).values).toEqual([{ a: 1 }, { a: 2 }]);
    expect((await read("a.jsonl", ' [{"a": 1}]')).values).toEqual([{ a: 1 }]);
    expect((await read("a.jsonl.gz", gzipSync('{"a": "é"}\n'))).values).toEqual([{ a: "é" }]);
    expect((await read("empty.json", " \n")).values).toEqual([]);
  });

  it("refuses one object over several lines, other encodings and what is no gzip", async () => {
    expect((await read("a.json", '{\n  "data": []\n}')).message).toContain("found an object over several lines");
    await expect(read("b.jsonl", Uint8Array.of(0x22, 0xff, 0x22))).rejects.toThrow(
      /b.jsonl: bytes that are not UTF-8, at line 1/,
    );
    await expect(read("c.jsonl.gz", "plain")).rejects.toThrow(/c.jsonl.gz: incorrect header/);
  });

  it("lists twenty faults and counts all", async () => {
    const { message } = await read("a.jsonl", "x\n".repeat(50));
    expect(message.split("\n")).toHaveLength(22);
    expect(message).toMatch(/^reading: 50 faults:[\s\S]*… and 30 more$/);
  });
});

it("files are parts of data by a word of their names", () => {
  expect(
    ["train-00.jsonl", "my_valid.json", "x/dev.jsonl", "test.json", "attest.json", "latest_train.json"].map(partOf),
  ).toEqual(["train", "held out", "held out", "test", undefined, "train"]);
});
