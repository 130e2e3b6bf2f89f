/** @file What the recursive chunker cuts, keeps whole, repeats and holds in memory. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CapacityError, ConfigError } from "../base/errors.js";
import { Rng } from "../base/rng.js";
import type { Chunk, TokenCounter } from "./chunk.js";
import { type RecursiveOptions, recursive } from "./recursive.js";

/** Words and signs; adds up at white space. */
const words: TokenCounter = {
  count: (text, start = 0, end = text.length) => text.slice(start, end).match(/\w+|[^\w\s]/g)?.length ?? 0,
  addsUpAt: (text, index) => /\s/.test(text.charAt(index)),
};
const codeUnits: TokenCounter = {
  count: (text, start = 0, end = text.length) => end - start,
  addsUpAt: () => true,
};

function chunks(text: string, maxTokens: number, options: Partial<RecursiveOptions> = {}): Chunk[] {
  return [...recursive.chunk(text, { counter: words, maxTokens, ...options })];
}

function texts(text: string, maxTokens: number, options: Partial<RecursiveOptions> = {}): string[] {
  return chunks(text, maxTokens, options).map((chunk) => chunk.text);
}

const numbered = (count: number, word = "w"): string =>
  Array.from({ length: count }, (_, i) => `${word}${i}`).join(" ");

describe("recursive", () => {
  it("gives a text that fits as one chunk", () => {
    const text = "# A\n\nOne two.\n\n## B\n\nThree.\n";
    expect(chunks(text, 100)).toEqual([
      { start: 0, end: text.length - 1, text: text.trimEnd(), headingPath: ["A"], numTokens: 10 },
    ]);
  });

  it("cuts at headings first, then at blocks, sentences and words", () => {
    const section = (title: string, size: number): string => `## ${title}\n\n${numbered(size)}.`;
    expect(texts(`${section("A", 10)}\n\n${section("B", 10)}\n\n${section("C", 10)}`, 30)).toEqual([
      `${section("A", 10)}\n\n${section("B", 10)}`,
      section("C", 10),
    ]);
    expect(texts(`${numbered(10)}\n\n${numbered(10)}\n\n${numbered(10)}`, 25)).toEqual([
      `${numbered(10)}\n\n${numbered(10)}`,
      numbered(10),
    ]);
    expect(texts("One two three. Four five six. Seven eight nine.", 8)).toEqual([
      "One two three. Four five six.",
      "Seven eight nine.",
    ]);
    expect(texts("one two three, four five six seven", 6)).toEqual(["one two three,", "four five six seven"]);
    expect(texts("one two three four five", 2)).toEqual(["one two", "three four", "five"]);
  });

  it("cuts words between graphemes, and graphemes only if one alone is too large", () => {
    expect(texts("abcdefgh", 4, { counter: codeUnits })).toEqual(["abcd", "efgh"]);
    expect(texts("👍🏽👍🏽👍🏽", 5, { counter: codeUnits })).toEqual(["👍🏽", "👍🏽", "👍🏽"]);
    expect(texts("👍🏽", 2, { counter: codeUnits })).toEqual(["👍", "🏽"]);
  });

  it("refuses a limit below one character", () => {
    expect(() => chunks("a 😀", 1, { counter: codeUnits })).toThrow(CapacityError);
    expect(() => chunks("a 😀", 1, { counter: codeUnits })).toThrow("U+1F600");
  });

  it.each([
    [{ maxTokens: 0 }, "maxTokens"],
    [{ maxTokens: 1.5 }, "maxTokens"],
    [{ maxTokens: 10, overlapTokens: 10 }, "overlapTokens"],
    [{ maxTokens: 10, overlapTokens: -1 }, "overlapTokens"],
  ])("refuses %j", async (sizes, name) => {
    expect(() => [...recursive.chunk("x", { counter: words, ...sizes })]).toThrow(ConfigError);
    expect(() => [...recursive.chunk("x", { counter: words, ...sizes })]).toThrow(name);
    const first = recursive.chunkStream((async function* () {})(), { counter: words, ...sizes }).next();
    await expect(first).rejects.toThrow(ConfigError);
  });

  it("says in which section a chunk begins", () => {
    const text = `# A\n\n${numbered(8)}\n\n### B\n\n${numbered(8)}\n\n${numbered(8)}\n\n## C\n\n${numbered(8)}`;
    expect(chunks(text, 12).map(({ text, headingPath }) => [text.split("\n")[0], ...headingPath])).toEqual([
      ["# A", "A"],
      ["### B", "A", "B"],
      ["w0 w1 w2 w3 w4 w5 w6 w7", "A", "B"],
      ["## C", "A", "C"],
    ]);
  });

  it("does not mix a section with the one after its parent, unless it is very small", () => {
    const text = (size: number): string =>
      `## A\n\n### B\n\n${numbered(40)}\n\n### C\n\n${numbered(size)}\n\n## D\n\n${numbered(10)}`;
    expect(texts(text(20), 50).map((chunk) => chunk.slice(0, 5))).toEqual(["## A\n", "### C", "## D\n"]);
    expect(texts(text(4), 50).map((chunk) => chunk.slice(0, 5))).toEqual(["## A\n", "### C"]);
  });

  it("ends a chunk before what introduces a block that does not fit any more", () => {
    const code = `\`\`\`\n${numbered(10)}\n\`\`\``;
    expect(texts(`${numbered(10)}.\n\nFor example:\n\n${code}`, 25)).toEqual([
      `${numbered(10)}.`,
      `For example:\n\n${code}`,
    ]);
  });

  it("cuts a table after rows and code after lines", () => {
    const rows = Array.from({ length: 6 }, (_, i) => `| a${i} | b${i} |`);
    const table = `| h | h |\n|---|---|\n${rows.join("\n")}`;
    for (const part of texts(table, 25)) expect(part.split("\n").every((line) => /^\|.*\|$/.test(line))).toBe(true);
    const code = `\`\`\`\nfor (;;) {\n  call(1)\n  call(2)\n\n  call(3)\n}\n\`\`\``;
    expect(texts(code, 22)).toEqual(["```\nfor (;;) {\n  call(1)\n  call(2)", "  call(3)\n}\n```"]);
  });

  it("reads plain text without markup", () => {
    const text = `# not a heading\n${numbered(8)}\n\n# nor this\n${numbered(8)}`;
    expect(chunks(text, 14, { format: "plain" }).map(({ headingPath }) => headingPath)).toEqual([[], []]);
  });

  describe("overlap", () => {
    const text = "Aa bb cc dd. Ee ff gg hh. Ii jj kk ll. Mm nn oo pp.";

    it("repeats whole sentences where they fit", () => {
      expect(texts(text, 15, { overlapTokens: 5 })).toEqual([
        "Aa bb cc dd. Ee ff gg hh. Ii jj kk ll.",
        "Ii jj kk ll. Mm nn oo pp.",
      ]);
    });

    it("repeats words where no sentence fits, from a comma on if there is one", () => {
      expect(texts(text, 13, { overlapTokens: 3 })[1]).toBe("gg hh. Ii jj kk ll. Mm nn oo pp.");
      expect(texts("Aa bb cc dd, ee ff gg. Hh ii jj kk ll mm nn oo pp.", 16, { overlapTokens: 5 })[1]).toBe(
        "ee ff gg. Hh ii jj kk ll mm nn oo pp.",
      );
    });

    it("never reaches over a heading, nor into a block of code that has ended", () => {
      const sections = `## A\n\n${numbered(9)}.\n\n## B\n\n${numbered(9)}.`;
      expect(texts(sections, 13, { overlapTokens: 5 })).toEqual(texts(sections, 13));
      const code = `\`\`\`\n${numbered(4)}\n\`\`\`\n\n${numbered(9)}.`;
      expect(texts(code, 11, { overlapTokens: 1 })).toEqual(texts(code, 11));
    });

    it("gives way to a block that fits a chunk whole", () => {
      const paragraphs = `${numbered(10)}.\n\n${numbered(19, "v")}.`;
      expect(texts(paragraphs, 20, { overlapTokens: 8 })).toEqual(texts(paragraphs, 20));
    });
  });

  it("cuts no paragraph, list, table or code block that fits a chunk with the heading above it", () => {
    const rng = new Rng(5);
    for (let round = 0; round < 300; round++) {
      const all = Array.from({ length: 3 + rng.below(20) }, () => randomBlock(rng, 26));
      // two lists in a row are one
      const blocks = all.filter((block, i) => !(block.startsWith("-") && all[i - 1]?.startsWith("-")));
      const text = blocks.join("\n\n");
      const overlapTokens = rng.below(2) * 6;
      const ends = new Set(chunks(text, 30, { overlapTokens }).map(({ end }) => end));
      let at = 0;
      for (const block of blocks) {
        const inside = [...ends].filter((end) => end > at && end < at + block.length);
        expect({ text, block, inside }).toEqual({ text, block, inside: [] });
        at += block.length + 2;
      }
    }
  });

  it("counts text once where counts add up, and twice where they do not", () => {
    const text = Array.from(
      { length: 400 },
      (_, i) => `${i % 9 ? "" : "## T\n\n"}${numbered(11)}. ${numbered(5)}.`,
    ).join("\n\n");
    const read = (counter: TokenCounter): number => {
      let counted = 0;
      const count: TokenCounter["count"] = (source, start = 0, end = source.length) => {
        counted += end - start;
        return counter.count(source, start, end);
      };
      for (const _ of recursive.chunk(text, { counter: { ...counter, count }, maxTokens: 400 }));
      return counted / text.length;
    };
    expect(read(words)).toBeLessThan(1.1);
    expect(read({ count: words.count })).toBeLessThan(2.1);
  });

  const patterns = [
    "x",
    "x ",
    ".",
    ". ",
    "漢",
    "漢。",
    "\u0301",
    "🇩🇪",
    "# ",
    "> ",
    "|",
    "`",
    "<",
    "\n",
    " ",
    "- a\n",
    "a\n-",
  ];
  const openings = ["```\n", "# ", "- ", "<!-- ", "| a |\n|---|\n| ", "---\n"];
  it.each([...patterns.map((pattern) => ["", pattern]), ...openings.map((opening) => [opening, "x "])])(
    "comes to the end of %j and then %j a hundred thousand times, which quadratic time would not",
    (opening, pattern) => {
      const text = opening + pattern.repeat(400_000 / pattern.length);
      let end = 0;
      for (const chunk of recursive.chunk(text, { counter: codeUnits, maxTokens: 300, overlapTokens: 30 }))
        end = chunk.end;
      expect(text.slice(end).trim()).toBe("");
    },
  );

  it.each([
    ["one line without end", "x"],
    ["words without end", "word "],
    ["white space without end", " "],
    ["line breaks without end", "\n"],
    ["one cluster without end", "\u0301"],
    ["tokens that count nothing", "a b. "],
    ["gaps", `x${" ".repeat(70_000)}`],
  ])("streams %s in constant memory", async (_, pattern) => {
    const piece = pattern.repeat(Math.ceil(65_536 / pattern.length));
    let longest = 0;
    const counter: TokenCounter = {
      // the text that is passed is all that is held
      count: (text, start = 0, end = text.length) => {
        longest = Math.max(longest, text.length);
        return pattern.startsWith("a b") ? 0 : (end - start) >> 2;
      },
    };
    const source = (async function* () {
      for (let i = 0; i < 40; i++) yield piece;
    })();
    for await (const chunk of recursive.chunkStream(source, { counter, maxTokens: 200, overlapTokens: 20 })) {
      longest = Math.max(longest, chunk.text.length);
    }
    expect(longest).toBeLessThan(6 * piece.length);
  });

  it("reaches over no more white space than it holds", async () => {
    const text = `Before.${" ".repeat(5000)}between${"\n".repeat(4000)}after.`;
    expect(texts(text, 50, { overlapTokens: 5 })).toEqual(["Before.", `between${"\n".repeat(4000)}after.`]);
  });

  it("ends a chunk whose text has no tokens", () => {
    const all = chunks("a b. ".repeat(2000), 8, { counter: { count: () => 0 } });
    expect(Math.max(...all.map(({ text }) => text.length))).toBeLessThanOrEqual(8 * 256);
  });

  const docs = new URL("../../../shared/data/data-fastify-docs/", import.meta.url);
  const paths = listMarkdown(docs);
  it.skipIf(paths.length === 0)(
    "keeps real documentation's code blocks whole (skips without data-fastify-docs)",
    () => {
      for (const path of paths) {
        const text = readFileSync(path, "utf8");
        const ends = chunks(text, 400).map(({ end }) => end);
        for (const { index, 0: block } of text.matchAll(/^```[\s\S]*?^ *```$/gm)) {
          if (words.count(block) > 380) continue;
          expect({ path, block, cuts: ends.filter((end) => end > index && end < index + block.length) }).toEqual({
            path,
            block,
            cuts: [],
          });
        }
      }
    },
  );
});

function listMarkdown(folder: URL): URL[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".md"))
      .map((path) => new URL(path, folder));
  } catch {
    return [];
  }
}

/** A block of at most `maxTokens` tokens by `words`; headings are short. */
function randomBlock(rng: Rng, maxTokens: number): string {
  const size = 1 + rng.below(maxTokens - 10);
  switch (rng.below(6)) {
    case 0:
      return `${"#".repeat(1 + rng.below(3))} t`;
    case 1:
      return `\`\`\`\n${numbered(Math.min(size, 12)).replaceAll(" ", "\n")}\n\`\`\``;
    case 2:
      return Array.from({ length: 1 + rng.below(5) }, () => `- ${numbered(1 + rng.below(3))}`).join("\n");
    case 3:
      return `a | b\n--- | ---\n${"x | y\n".repeat(1 + rng.below(3))}x | y`;
    case 4:
      return `${numbered(Math.ceil(size / 2))}. ${numbered(Math.ceil(size / 3))}.`;
    default:
      return `> ${numbered(size)}.`;
  }
}
