/** @file JSON, JSON lines and tables of values as text. */
import { describe, expect, it } from "vitest";
import { csv } from "./csv.js";
import { json } from "./json.js";
import { jsonl } from "./jsonl.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("json", () => {
  it("gives each record a block of its own", async () => {
    const value = {
      version: 2,
      tags: ["a", "b"],
      author: { name: "Ada", address: { town: "London" } },
      items: [
        { id: 1, text: "one\ntwo" },
        { id: 2, list: [[1, 2], {}] },
      ],
    };
    expect(await json.read(bytes(JSON.stringify(value)))).toEqual({
      text: [
        "version: 2\ntags:\n  - a\n  - b",
        "author:\n  name: Ada\n  address:\n    town: London",
        "id: 1\ntext: one\ntwo",
        "id: 2\nlist:\n  -\n    - 1\n    - 2\n  -",
      ].join("\n\n"),
    });
  });

  it("keeps half surrogates and zeros as JSON writes them", async () => {
    expect(await json.read(bytes('["\\ud800", "\\udc00\\ud83d\\udc4d", "\\u0000"]'))).toEqual({
      text: "\\ud800\n\n\\udc00👍\n\n\\u0000",
    });
  });

  it("says what is no JSON, nests too deep, or is a lock file", async () => {
    expect(await json.read(bytes("{"))).toMatchObject({ reason: "damaged" });
    expect(await json.read(bytes("[".repeat(100_000) + "]".repeat(100_000)))).toMatchObject({ reason: "damaged" });
    const lock = { lockfileVersion: 3, packages: {} };
    expect(await json.read(bytes(JSON.stringify(lock)))).toMatchObject({ reason: "unsupported type" });
  });
});

describe("jsonl", () => {
  it("gives each line a block, and keeps what is no JSON as it is", async () => {
    expect(await jsonl.read(bytes('{"a": 1, "b": null}\r\n\n[true]\n{"cut": "o'))).toEqual({
      text: 'a: 1\nb: null\n\n- true\n\n{"cut": "o',
    });
  });
});

describe("csv", () => {
  it.each([
    ["commas", 'name,says\nAda,"a | b, ""c""\nand d"\nBob\n'],
    ["semicolons", 'name;says\nAda;"a | b, ""c""\nand d"\nBob\n'],
    ["tabs", 'name\tsays\nAda\t"a | b, ""c""\nand d"\n\nBob\n'],
  ])("finds its separator: %s", async (_, text) => {
    expect(await csv.read(bytes(text))).toEqual({
      text: '| name | says |\n| --- | --- |\n| Ada | a \\| b, "c" and d |\n| Bob |  |',
    });
  });

  it("says where a quote is not closed", async () => {
    expect(await csv.read(bytes('a,b\n1,2\n"3,4\n'))).toMatchObject({ reason: "damaged" });
  });
});
