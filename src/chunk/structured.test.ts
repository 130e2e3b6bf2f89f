/** @file What the chunkers of HTML, source code and tables keep whole, and the path they give. */
import { describe, expect, it } from "vitest";
import type { Chunk, ChunkerDef, TokenCounter } from "./chunk.js";
import { code } from "./code.js";
import { html } from "./html.js";
import { SEGMENT } from "./outline.js";
import { table } from "./table.js";

/** Words and signs; adds up at white space. */
const counter: TokenCounter = {
  count: (text, start = 0, end = text.length) => text.slice(start, end).match(/\w+|[^\w\s]/g)?.length ?? 0,
  addsUpAt: (text, index) => /\W/.test(text.charAt(index)),
};
const shown = (chunks: Iterable<Chunk>): string[] =>
  [...chunks].map(({ headingPath, text }) => `${headingPath.join(" > ")}: ${text.replace(/\n/g, "⏎")}`);

describe("html", () => {
  const cut = (text: string, maxTokens: number): string[] => shown(html.chunk(text, { counter, maxTokens }));

  it("cuts at headings and blocks, with no line breaks to go by", () => {
    const page =
      "<div><h1>A &amp; <em>b</em></h1><p>One.</p><p>Two.</p></div><section><h2>C</h2><ul><li>three<li>four</ul></section>";
    expect(cut(page, 24)).toEqual([
      "A & b: <div><h1>A &amp; <em>b</em></h1>",
      "A & b: <p>One.</p><p>Two.</p></div>",
      "A & b > C: <section><h2>C</h2><ul><li>three",
      "A & b > C: <li>four</ul></section>",
    ]);
  });

  it("keeps scripts and style sheets away from text, and lines of pre as they are", () => {
    expect(cut("<p>a</p><script>if (a) '</p>'</script>\n<p>b</p><pre>x\n  y</pre>", 100)).toEqual([
      ": <p>a</p>",
      ": <script>if (a) '</p>'</script>",
      ": <p>b</p><pre>x⏎  y</pre>",
    ]);
  });

  it("reads what no page should hold: open tags, depth, text without tags", () => {
    expect(cut("<p>a <b", 10)).toEqual([": <p>a <b"]);
    expect(cut("one two", 10)).toEqual([": one two"]);
    const deep = `${"<div>".repeat(20_000)}x`;
    expect([...html.chunk(deep, { counter, maxTokens: 1000 })].map(({ text }) => text).join("")).toBe(deep);
  });
});

describe("code", () => {
  const cut = (text: string, maxTokens: number, language: "typescript" | "tsx" | "python" = "typescript"): string[] =>
    shown(code.chunk(text, { counter, maxTokens, language }));

  it("keeps definitions whole, with their comments, decorators and export", () => {
    const source = `import a from "a";

/** Does b. */
export class B {
  @bound()
  first() {
    return a(1, 2, 3);
  }

  // note
  second(): void {}
}

export const third = (x: number) => x + 1;
`;
    expect(cut(source, 20)).toEqual([
      ': import a from "a";',
      "B: /** Does b. */⏎export class B {",
      "B > first:   @bound()⏎  first() {⏎    return a(1, 2, 3);⏎  }",
      "B > second:   // note⏎  second(): void {}⏎}",
      "third: export const third = (x: number) => x + 1;",
    ]);
    expect(cut(source, 200)).toHaveLength(1);
  });

  it("reads Python", () => {
    const source = `import os

# about A
@dec
class A(B):
    """Doc."""

    async def f(self):
        if x:
            y(1, 2)
        return 1

def g():
    pass
`;
    expect(cut(source, 22, "python")).toEqual([
      ': import os⏎⏎# about A⏎@dec⏎class A(B):⏎    """Doc."""',
      "A > f:     async def f(self):⏎        if x:⏎            y(1, 2)⏎        return 1",
      "g: def g():⏎    pass",
    ]);
  });

  it("cuts what is too large between statements, inner ones last", () => {
    const source = "function f() {\n  if (a) {\n    b();\n    c();\n  }\n  d();\n  e();\n}\n";
    expect(cut(source, 20)).toEqual(["f: function f() {⏎  if (a) {⏎    b();⏎    c();⏎  }", "f:   d();⏎  e();⏎}"]);
  });

  it("goes on after errors of syntax, and through one line without end", () => {
    expect(cut("function f( {\n}}}\nclass A { m() {} }\n", 8).at(-1)).toMatch(/^A/);
    const line = "f(1);".repeat(SEGMENT / 4);
    const chunks = [...code.chunk(line, { counter, maxTokens: 500 })];
    expect(chunks.map(({ text }) => text).join("")).toBe(line);
    // whole statements, but where a segment of the text ends
    expect(chunks.filter(({ text }) => !text.startsWith("f(1)")).length).toBeLessThan(4);
  });

  it("cuts what is nested deeper than a parser can follow between its lines", () => {
    const nested = (levels: number): string =>
      `function f() {\n${"g(1);\n".repeat(1000)}return ${"[\n".repeat(levels)}${"]\n".repeat(levels)}}\n`;
    const paths = (text: string) => [...code.chunk(text, { counter, maxTokens: 500, language: "tsx" })];
    expect(new Set(paths(nested(100)).map(({ headingPath }) => headingPath.join()))).toEqual(new Set(["f"]));
    for (const levels of [2000, 20_000]) {
      const text = nested(levels);
      const chunks = paths(text);
      expect(new Set(chunks.map(({ headingPath }) => headingPath.join()))).toEqual(new Set([""]));
      expect(chunks.reduce((sum, chunk) => sum + chunk.text.replace(/\s/g, "").length, 0)).toBe(
        text.replace(/\s/g, "").length,
      );
    }
  });
});

describe("table", () => {
  const cut = (text: string, maxTokens: number, format?: "csv" | "markdown"): string[] =>
    shown(table.chunk(text, { counter, maxTokens, ...(format && { tableFormat: format }) }));

  it("keeps rows of CSV whole, line breaks in quotes included, and says the columns", () => {
    const csv = `name,note\r\n"Ann, Bea","two\nlines ""x"""\r\nCid,5" pipe\r\nDan,"open\r\nEve,1\r\n`;
    expect(cut(csv, 24)).toEqual([
      'name | note: name,note\r⏎"Ann, Bea","two⏎lines ""x"""\r⏎Cid,5" pipe',
      'name | note: Dan,"open\r⏎Eve,1',
    ]);
  });

  it("finds the delimiter", () => {
    expect(cut("a;b;c,d\n1;2;3\n4;5;6\n", 13)).toEqual(["a | b | c,d: a;b;c,d⏎1;2;3", "a | b | c,d: 4;5;6"]);
    expect(cut("a\tb\n1\t2\n", 100)).toEqual(["a | b: a\tb⏎1\t2"]);
  });

  it("gives rows of Markdown tables their header, and the text around them its headings", () => {
    const text = "# P\n\nIntro.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nEnd.\n";
    expect(cut(text, 20, "markdown").slice(1)).toEqual(["P > a | b: | 1 | 2 |⏎| 3 | 4 |", "P: End."]);
  });
});

describe("texts of several segments", () => {
  const rows = Array.from({ length: 12_000 }, (_, i) => i);
  const texts: Record<string, [ChunkerDef, string]> = {
    html: [
      html,
      rows.map((i) => `${i % 40 === 0 ? `<h2>Part ${i / 40}</h2>` : ""}<p>Row ${i} says <b>so</b>.</p>`).join(""),
    ],
    code: [code, rows.map((i) => `function f${i}(x) {\n  // 你好\n  return x + ${i};\n}\n`).join("\n")],
    table: [table, `id,text\n${rows.map((i) => `${i},"the text\n of row ${i}"\n`).join("")}`],
  };

  it.each(Object.entries(texts))(
    "%s: the same from a stream, nothing lost, whole parts",
    async (_, [chunker, text]) => {
      expect(text.length).toBeGreaterThan(SEGMENT);
      const options = { counter, maxTokens: 64 };
      const chunks = [...chunker.chunk(text, options)];
      async function* pieces(): AsyncGenerator<string> {
        for (let at = 0; at < text.length; at += 7777) yield text.slice(at, at + 7777);
      }
      const streamed: Chunk[] = [];
      for await (const chunk of chunker.chunkStream(pieces(), options)) streamed.push(chunk);
      expect(streamed).toEqual(chunks);
      expect(chunks.map((chunk) => chunk.text.replace(/\s/g, "")).join("")).toBe(text.replace(/\s/g, ""));
      const openings = /^(<h2>Part|<p>Row|function f|id,text|\d+,"the)/;
      expect(chunks.filter((chunk) => !openings.test(chunk.text)).map((chunk) => chunk.text)).toEqual([]);
      expect(chunks.at(-1)?.headingPath.at(-1)).toMatch(
        { html: /^Part 299$/, code: /^f1199\d$/, table: /^id \| text$/ }[chunker.name]!,
      );
    },
  );
});
