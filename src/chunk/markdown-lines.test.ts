/** @file What Markdown lines are taken for, and what is no heading. */
import { describe, expect, it } from "vitest";
import { LOOKAHEAD, lineEnd } from "./lines.js";
import { MarkdownLines } from "./markdown-lines.js";
import { Strength } from "./strength.js";

const NAMES = new Map<number, string>(Object.entries(Strength).map(([name, value]) => [value, name]));

/** Each line that is not blank as `strength: text`, a heading's strength as `h` and its level. */
function read(markdown: string): string[] {
  const reader = new MarkdownLines();
  const lines: string[] = [];
  for (let at = 0; at < markdown.length; at = lineEnd(markdown, at, markdown.length) + 1) {
    const to = Math.min(markdown.length, at + Math.max(LOOKAHEAD, reader.lookahead(markdown, at)));
    const line = reader.read(markdown, at, to);
    if (line === undefined) continue;
    const isHeading = line.strength >= Strength.heading;
    const name = isHeading ? `h${Strength.heading + 6 - line.strength}` : NAMES.get(line.strength);
    lines.push(`${name}: ${markdown.slice(line.start, lineEnd(markdown, line.start, markdown.length)).trimEnd()}`);
  }
  return lines;
}

function titles(markdown: string): string[] {
  const reader = new MarkdownLines();
  const found: string[] = [];
  for (let at = 0; at < markdown.length; at = lineEnd(markdown, at, markdown.length) + 1) {
    const to = Math.min(markdown.length, at + reader.lookahead(markdown, at));
    const heading = reader.read(markdown, at, to)?.heading;
    if (heading) found.push(`${heading.level} ${heading.title}`);
  }
  return found;
}

describe("MarkdownLines", () => {
  it("reads ATX and setext headings, and no lookalikes", () => {
    const markdown = [
      "# One #",
      "###### Six ######",
      "####### seven",
      "#hashtag",
      "",
      "    # code",
      "",
      "Setext *one*",
      "===",
      "",
      "Two",
      "---   ",
      "",
      "two lines",
      "of text",
      "---",
      "#",
      "\\# escaped",
    ].join("\n");
    expect(titles(markdown)).toEqual(["1 One", "6 Six", "1 Setext *one*", "2 Two", "1 "]);
  });

  it("makes titles of what headings say, not of how they link", () => {
    const markdown = [
      '# <a id="x"></a>Start',
      "## [Core](#core) and [more][1] ![logo](x.png)",
      "### `call<T>()` {#call}",
      '<h1 align="center">The <b>name</b></h1>',
      "# C#",
    ].join("\n");
    expect(titles(markdown)).toEqual(["1 Start", "2 Core and more logo", "3 `call<T>()`", "1 The name", "1 C#"]);
  });

  it.each([
    ["a fence", "```sh\n# a\n~~~\n# b\n```\n# real"],
    ["a longer fence", "~~~~\n# a\n~~~\n# b\n~~~~ \n# real"],
    ["an indented fence in a list", "- x\n\n  ```\n  # a\n# b\n  ```\n# real"],
    ["a fence after a list marker", "1. ```\n   # a\n   ```\n# real"],
    ["a comment", "<!-- x\n# a\n\n# b -->\n# real"],
    ["a comment of one line", "<!-- # a -->\n# real"],
    ["a pre element", "<pre>\n# a\n\n# b\n</pre>\n# real"],
    ["an HTML block", "<div>\n# a\n\n# real"],
    ["a quote", "> # a\n\n# real"],
    ["a list item", "- x\n\n  # a\n\n# real"],
    ["YAML front matter", "---\n# a\ntitle: b\n---\n# real"],
    ["TOML front matter", "+++\n# a\n+++\n# real"],
    ["front matter that ends in dots", "---\n# a\n...\n# real"],
  ])("takes nothing in %s for a heading", (_, markdown) => expect(titles(markdown)).toEqual(["1 real"]));

  it("takes a rule at the beginning for front matter only if it closes", () => {
    expect(titles("---\n\n# a\n\n# b")).toEqual(["1 a", "1 b"]);
    expect(titles("---\n# a\n# b")).toEqual(["1 a", "1 b"]);
  });

  it("opens no fence with a backtick in its info string", () => {
    expect(titles("```inline```\n# a")).toEqual(["1 a"]);
  });

  it("keeps a heading with the text under it and with the next deeper one", () => {
    expect(read("# A\n## B\n\ntext\n\nmore\n## C\n# D")).toEqual([
      "h1: # A",
      "glue: ## B",
      "glue: text",
      "block: more",
      "h2: ## C",
      "h1: # D",
    ]);
    expect(read('## A\n<a id="a"></a>\n\ntext')).toEqual(["h2: ## A", 'glue: <a id="a"></a>', "glue: text"]);
    expect(read("A\n=\ntext")).toEqual(["h1: A", "glue: =", "glue: text"]);
  });

  it("ranks blocks, items, parts of items and soft breaks", () => {
    expect(read("text\ngoes on\n\n- a\n  goes on\n  - nested\n\n  part\n- b\nlazy\n\nend")).toEqual([
      "block: text",
      "soft: goes on",
      "block: - a",
      "soft: goes on",
      "part:   - nested",
      "part: part",
      "item: - b",
      "soft: lazy",
      "block: end",
    ]);
  });

  it("does not take a number that ends a wrapped line for a list", () => {
    expect(read("in the year\n1986. A good one\n1. one\n2. two")).toEqual([
      "block: in the year",
      "soft: 1986. A good one",
      "block: 1. one",
      "item: 2. two",
    ]);
  });

  it("holds a fence to its code and cuts code at blank lines first", () => {
    expect(read("text\n```\na\n  b\n\nc\n```\nafter")).toEqual([
      "block: text",
      "block: ```",
      "glue: a",
      "line:   b",
      "part: c",
      "glue: ```",
      "block: after",
    ]);
    expect(read("text\n\n    a\n    b\n\n    c\n\ntext")).toEqual([
      "block: text",
      "block:     a",
      "line:     b",
      "part:     c",
      "block: text",
    ]);
  });

  it("holds a table's head to its first row", () => {
    expect(read("| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 | 4 |\n\na | b\n--- | ---\n1 | 2\n3 | 4")).toEqual([
      "block: | a | b |",
      "glue: |---|:-:|",
      "glue: | 1 | 2 |",
      "line: | 3 | 4 |",
      "block: a | b",
      "glue: --- | ---",
      "glue: 1 | 2",
      "line: 3 | 4",
    ]);
  });

  it("reads quotes with their paragraphs", () => {
    expect(read("> a\n> b\n>\n> c\nlazy\n\n> d")).toEqual([
      "block: > a",
      "soft: > b",
      "soft: >",
      "part: > c",
      "soft: lazy",
      "block: > d",
    ]);
  });

  it("keeps a thematic break with what it ends", () => {
    expect(read("a\n\n* * *\n\nb\n***\nc")).toEqual(["block: a", "glue: * * *", "block: b", "glue: ***", "block: c"]);
  });

  it("reads CRLF like LF", () => {
    const markdown =
      "---\ntitle: x\n---\n# A\n\ntext\n===\n\n```\n# no\n```\n\n| a |\n|--|\n| 1 |\n\n- x\n\n***\n\n> q";
    expect(read(markdown.replaceAll("\n", "\r\n"))).toEqual(read(markdown));
  });
});
