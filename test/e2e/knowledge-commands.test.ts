/** @file `tessera chunk`, `eval retrieval`, `index`, `ask` with its summaries and conversations, and `dataset` as people run them, on a small folder. */

import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer, Quote } from "../../src/answer/index.js";
import type { Chunk } from "../../src/chunk/index.js";
import type { Summary } from "../../src/pipeline/knowledge-base/summary.js";
import type { ChunkTrialResult } from "../../src/pipeline/retrieval-eval/index.js";
import { cliMain } from "../support/cli.js";
import { pdfFile, pdfLines } from "../support/pdf.js";
import { savedModel } from "../support/saved-model.js";
import { scriptedModel } from "../support/served-model.js";

const KILN = `# Kiln

The kiln is a furnace for clay. It is heated to 1,240 degrees.

## Cooling

Let it cool for twelve hours before the door is opened. 👍🏽

## 釉料

釉料在一千度时熔化。
`;
const ORDERS = "item,count\nclay,12\ngrog,3\n";

let root: string;
let docs: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-knowledge-"));
  docs = join(root, "docs");
  await cp(fileURLToPath(new URL("../../docs/adding", import.meta.url)), join(docs, "adding"), { recursive: true });
  await writeFile(join(docs, "kiln.md"), KILN);
  await writeFile(join(docs, "orders.csv"), ORDERS);
  const page = { texts: pdfLines(["The warranty of the wheel ends after five years."], { x: 72, y: 700 }) };
  await writeFile(join(docs, "wheel.pdf"), pdfFile([{ hasPicture: true }, page]));
  await writeFile(join(docs, "logo.png"), "no text");
});
afterAll(() => rm(root, { recursive: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

/** Runs the command to its end, in the folder of the test. */
async function tessera(args: readonly string[], input = ""): Promise<Ended> {
  const child = spawn(process.execPath, [cliMain, ...args], { cwd: root });
  const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  child.stdin.end(input);
  const [out, errors, code] = await Promise.all([readAll(child.stdout), readAll(child.stderr), ended]);
  return { code, out, errors };
}

/** What a command prints that has to succeed. */
async function printed(...args: readonly string[]): Promise<string> {
  const { code, out, errors } = await tessera(args);
  expect(code, errors).toBe(0);
  return out;
}

const lines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

describe.concurrent("tessera chunk", () => {
  it("gives every document's chunks with their places, and names what is left out", async ({ expect }) => {
    const { code, out, errors } = await tessera(["chunk", "docs", "--json", "--max-tokens", "40"]);
    expect(code).toBe(0);
    const chunks = lines(out).map((line): Chunk & { readonly path: string } => JSON.parse(line));
    const ofKiln = chunks.filter(({ path }) => path === "kiln.md");
    for (const { start, end, text } of ofKiln) expect(text).toBe(KILN.slice(start, end));
    expect(ofKiln.map(({ headingPath }) => headingPath.join(" > "))).toContain("Kiln > 釉料");
    expect(chunks.every(({ numTokens }) => numTokens <= 40)).toBe(true);
    expect(chunks.find(({ path }) => path === "wheel.pdf")).toMatchObject({ page: 2 });
    expect(errors).toContain("left out logo.png: unsupported type");
    expect(errors).toContain("left out wheel.pdf: pages without text (page 1 is a picture");
  });

  it("cuts standard input as it comes, for people", async ({ expect }) => {
    const { code, out } = await tessera(["chunk", "-", "--max-tokens", "30"], KILN);
    expect(code).toBe(0);
    expect(out).toMatch(/^── - \[0, \d+\) · \d+ tokens · Kiln\n# Kiln\n/);
    expect(out).toContain("釉料在一千度时熔化。");
  });

  it("says what is wrong, and fails", async ({ expect }) => {
    const [noEmbedder, noFolder] = await Promise.all([
      tessera(["chunk", "docs", "--chunker", "semantic"]),
      tessera(["chunk", "nowhere"]),
    ]);
    expect(noEmbedder).toMatchObject({ code: 1, out: "" });
    expect(noEmbedder.errors).toMatch(/^tessera: chunk: --chunker semantic .* needs --embedder\n$/);
    expect(noFolder).toMatchObject({ code: 1, out: "" });
    expect(noFolder.errors).toMatch(/^tessera: .*nowhere/);
  });

  it("--auto names the way to cut that finds most", async ({ expect }) => {
    const { code, out, errors } = await tessera(["chunk", "docs/adding", "--auto", "--json", "--budget", "256"]);
    expect(code, errors).toBe(0);
    const { numQuestions, results }: { numQuestions: number; results: ChunkTrialResult[] } = JSON.parse(out);
    expect(numQuestions).toBeGreaterThan(20);
    const recalls = results.map(({ recall }) => recall);
    expect(recalls).toEqual([...recalls].sort((a, b) => b - a));
    expect(recalls[0]).toBeGreaterThan(0.5);
    expect(new Set(results.map(({ chunker }) => chunker)).size).toBeGreaterThan(3);
  });
});

describe.concurrent("tessera eval retrieval", () => {
  const question = { question: "How long does it cool?", spans: [{ path: "kiln.md", quote: "for twelve hours" }] };

  it("measures a labelled set", async ({ expect }) => {
    const file = join(root, "questions.jsonl");
    await writeFile(file, JSON.stringify(question));
    const out = await printed("eval", "retrieval", "docs", "--questions", file, "--json", "-k", "1");
    expect(JSON.parse(out)).toMatchObject({ k: 1, numQuestions: 1, recall: 1, recallAtK: 1, mrr: 1 });
  });

  it("refuses a quote that is nowhere", async ({ expect }) => {
    const file = join(root, "wrong.jsonl");
    await writeFile(file, JSON.stringify({ ...question, spans: [{ path: "kiln.md", quote: "for thirteen hours" }] }));
    const { code, errors } = await tessera(["eval", "retrieval", "docs", "--questions", file]);
    expect(code).toBe(1);
    expect(errors).toContain("for thirteen hours");
  });
});

describe("tessera index and ask", () => {
  interface Asked extends Answer {
    readonly passages: readonly { readonly chunk: Chunk }[];
  }

  it("indexes once, answers in quotes of the documents, and follows an edit", async () => {
    const first = JSON.parse(await printed("index", "docs", "--json"));
    expect(first).toMatchObject({ changed: 0, unchanged: 0, embeddings: { hits: 0 } });
    expect(first.skipped.map(({ path }: { path: string }) => path)).toEqual(["logo.png", "wheel.pdf"]);
    expect(await printed("index", "docs", "--verify")).toMatch(/\((\d+) unchanged\): 0 chunks written/);

    const [quoted, unknown, wheel] = await Promise.all([
      printed("ask", "docs", "How", "long", "does", "the", "kiln", "cool?", "--json"),
      printed("ask", "docs", "Who won the elections of 1912?"),
      printed("ask", "docs", "When does the warranty of the wheel end?"),
    ]);
    const { isSupported, statements, passages }: Asked = JSON.parse(quoted);
    expect(isSupported).toBe(true);
    const [quote] = statements[0]!.quotes;
    expect(quote).toMatchObject({ path: "kiln.md", text: expect.stringContaining("twelve hours") });
    expect(quote!.text).toBe(KILN.slice(quote!.start, quote!.end));
    expect(passages[0]!.chunk).not.toHaveProperty("vector");
    const { hot } = JSON.parse(await printed("index", "docs", "--hot", "1", "--json"));
    expect(hot).toMatchObject([{ count: expect.any(Number), chunk: { text: expect.any(String) } }]);
    expect(await printed("index", "docs", "--hot", "1")).toMatch(/characters \d+ to \d+\): .* heat \d/);
    expect(unknown).toBe("The documents do not say.\n");
    expect(wheel).toContain("wheel.pdf, page 2");

    await writeFile(join(docs, "kiln.md"), KILN.replace("twelve", "thirteen"));
    const asked = await tessera(["ask", "docs", "How long does the kiln cool?"]);
    expect(asked.out).toContain("thirteen hours");
    expect(asked.errors).toContain("1 changed");
    await writeFile(join(docs, "kiln.md"), KILN);
  });

  it("lets a model write, and shows what it made up as such", async () => {
    const quotes = ['[1: "Let it cool for twelve hours"] ', '[1: "Let it burn"]'];
    const script = ["\n", "It cools for twelve hours. ", quotes[0]!, "It then burns. ", quotes[1]!];
    const model = await savedModel(scriptedModel([script], 2048));
    const flags = ["--model", model, "--passages", "1", "--temperature", "0"];
    const { code, out, errors } = await tessera(["ask", "docs", "How long does the kiln cool?", ...flags]);
    await rm(model, { recursive: true });
    expect(code, errors).toBe(0);
    expect(lines(out).slice(0, 2)).toEqual([
      "It cools for twelve hours. [1]",
      "It then burns. [no support in the documents]",
    ]);
    expect(out).toContain("[1] kiln.md");
  });
});

describe("tessera ask --summary and --chat", () => {
  it("sums up in quotes, about everything or a topic, and says which documents are in it", async () => {
    const out = await printed("ask", "docs", "--summary", "--json", "--quotes", "5");
    const { statements, covered, uncovered }: Summary = JSON.parse(out);
    expect(statements).toHaveLength(5);
    for (const { quotes } of statements) {
      const [{ path, start, end, text }] = quotes as [Quote];
      expect(covered).toContain(path);
      if (path === "kiln.md") expect(KILN.slice(start, end)).toBe(text);
    }
    expect(covered.length + uncovered.length).toBeGreaterThan(10);
    const glaze = await tessera(["ask", "docs", "釉料", "--summary", "--quotes", "1"]);
    expect(glaze.out).toMatch(/^\[1\] kiln\.md: Kiln › 釉料 \(characters \d+ to \d+\)\n {4}釉料在一千度时熔化。\n$/);
    expect(glaze.errors).toMatch(/from 1 of \d+ documents; nothing from .*; --json names all\n$/);
  });

  it("goes on with a conversation from lines, one of JSON for each answer", async () => {
    const asked = "How long does the kiln cool?\n\nAnd to how many degrees is it heated?\n/clear\nwheel?\n";
    const { code, out, errors } = await tessera(["ask", "docs", "--chat", "--json"], asked);
    expect(code, errors).toBe(0);
    const answers = lines(out).map((line): Answer & { standalone?: string } => JSON.parse(line));
    const quoted = answers.map(({ statements }) => statements[0]!.quotes[0]!);
    expect(quoted.map(({ path }) => path)).toEqual(["kiln.md", "kiln.md", "wheel.pdf"]);
    expect(quoted[1]!.text).toContain("1,240 degrees");
    expect(answers.map(({ standalone }) => standalone)).toEqual([
      undefined,
      "And to how many degrees is it heated? long kiln cool",
      undefined,
    ]);
    const begun = await tessera(
      ["ask", "docs", "How", "long", "does", "the", "kiln", "cool?", "--chat"],
      "/exit\nmore\n",
    );
    expect(begun.out.match(/^\[1\]/gm)).toHaveLength(1);
  });

  it("is written by a model too, with the places of what the documents say", async () => {
    const script = ["\n", "The kiln is a furnace for clay. ", "It was sold to a circus."];
    const model = await savedModel(scriptedModel([script], 2048));
    const flags = ["--model", model, "--temperature", "0"];
    const { code, out, errors } = await tessera(["ask", "docs/kiln.md", "--summary", ...flags]);
    await rm(model, { recursive: true });
    expect(code, errors).toBe(0);
    expect(lines(out)).toEqual([
      "The kiln is a furnace for clay. [1]",
      "It was sold to a circus. [no support in the documents]",
      expect.stringMatching(/^\[1\] kiln\.md: Kiln/),
      "    The kiln is a furnace for clay.",
    ]);
    expect(errors).toContain("level 0, part 1: ");
  });

  it("refuses what does not go together", async () => {
    const wrong = await Promise.all([
      tessera(["ask", "docs"]),
      tessera(["ask", "docs", "--summary", "--chat"]),
      tessera(["ask", "docs", "--summary", "--trace"]),
      tessera(["ask", "docs", "kiln", "--strategy", "refine"]),
    ]);
    expect(wrong.map(({ code }) => code)).toEqual([1, 1, 1, 1]);
    expect(wrong.map(({ errors }) => errors)).toEqual([
      expect.stringContaining("the question is empty"),
      expect.stringContaining("take one of them"),
      expect.stringContaining("leave it out with --summary"),
      expect.stringContaining("give --summary and --model too"),
    ]);
  });
});

describe.concurrent("tessera dataset", () => {
  interface Source {
    readonly path: string;
    readonly start: number;
    readonly end: number;
  }

  it("writes pairs with the places of their answers, documents whole on one side", async ({ expect }) => {
    const out = await printed("dataset", "docs", "--out", "pairs", "--held-out", "0.5", "--json");
    const report = JSON.parse(out);
    const read = async (name: string) => lines(await readFile(join(root, "pairs", name), "utf8"));
    const paths = await Promise.all(
      ["train", "heldout"].map(async (side) => {
        const pairs = (await read(`${side}.jsonl`)).map((line): { output: string } => JSON.parse(line));
        const sources = (await read(`${side}.sources.jsonl`)).map((line): Source => JSON.parse(line));
        expect(pairs).toHaveLength(side === "train" ? report.train : report.heldOut);
        expect(sources).toHaveLength(pairs.length);
        for (const [i, { path, start, end }] of sources.entries()) {
          if (path === "kiln.md") expect(pairs[i]!.output).toBe(KILN.slice(start, end));
        }
        return new Set(sources.map(({ path }) => path));
      }),
    );
    for (const ofSide of paths) expect(ofSide.size).toBeGreaterThan(1);
    expect([...paths[0]!].filter((path) => paths[1]!.has(path))).toEqual([]);
    expect([...paths[0]!, ...paths[1]!]).toContain("kiln.md");
    expect(report.heldOutDocuments.length).toBeGreaterThanOrEqual(paths[1]!.size);
  });

  it("refuses a share that is none", async ({ expect }) => {
    const { code, errors } = await tessera(["dataset", "docs", "--out", "none", "--held-out", " "]);
    expect(code).toBe(1);
    expect(errors).toContain("expected a share from 0 to below 1");
  });
});
