import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ConfigError, DataError } from "../../base/errors.js";
import { estimatedTokens } from "../../chunk/index.js";
import { scanFolder } from "../../documents/index.js";
import { buildDataset } from "./build-dataset.js";
import { structuralPairs } from "./pairs.js";

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-dataset-"));
  folder = join(root, "docs");
  await mkdir(folder);
});
afterEach(() => rm(root, { recursive: true }));

const counter = estimatedTokens;
const readLines = async (name: string): Promise<Record<string, unknown>[]> =>
  (await readFile(join(root, "out", name), "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const pairsOf = (text: string, maxTokens = 256) =>
  [...structuralPairs({ text, mediaType: "text/markdown" }, { counter, maxTokens })].map((pair) => {
    expect(text.slice(pair.start, pair.end)).toBe(pair.output);
    return [pair.kind, pair.instruction, pair.output];
  });

const page = (n: number): string =>
  `# Machine ${n}\n\nShared words that stand on every page, without any change at all.\n\n## Oil ${n}\n\nMachine ${n} takes ${n} litres of oil, and it is changed every ${n} months.\n`;

it("takes sections for their headings, questions for themselves and definitions for what they define", () => {
  expect(
    pairsOf(
      "# Pump\n\nA short one.\n\n## Starting it\n\nTurn the key to the left and wait until the lamp is green.\n\n```sh\n# no heading\nstart\n```\n\n## What does the lamp say?\n\nGreen is ready, red is not. An overflow valve is a valve that opens by itself.\n",
      40,
    ),
  ).toEqual([
    [
      "section",
      'Explain "Starting it" (Pump).',
      "Turn the key to the left and wait until the lamp is green.\n\n```sh\n# no heading\nstart\n```",
    ],
    [
      "question",
      "What does the lamp say?",
      "Green is ready, red is not. An overflow valve is a valve that opens by itself.",
    ],
    ["definition", "What is an overflow valve?", "An overflow valve is a valve that opens by itself."],
  ]);
  expect(
    pairsOf(
      "# 水泵\n\n离心泵是一种依靠叶轮旋转产生离心力来输送液体的机械设备，广泛用于城市供水、农田灌溉和工业循环。\n",
    ),
  ).toEqual([
    [
      "section",
      "说明“水泵”。",
      "离心泵是一种依靠叶轮旋转产生离心力来输送液体的机械设备，广泛用于城市供水、农田灌溉和工业循环。",
    ],
    [
      "definition",
      "什么是离心泵？",
      "离心泵是一种依靠叶轮旋转产生离心力来输送液体的机械设备，广泛用于城市供水、农田灌溉和工业循环。",
    ],
  ]);
});

it("splits by document: nothing of a held-out one is learned, and every row has its source", async () => {
  for (let i = 1; i <= 10; i++) await writeFile(join(folder, `${i}.md`), page(i));
  const report = await buildDataset({ folder, out: join(root, "out"), heldOut: 0.3, counter, maxTokens: 32 });
  expect(report.heldOutDocuments).toHaveLength(3);
  expect(report.repeated).toBe(9);
  const texts = new Map<string, string>();
  for await (const entry of scanFolder(folder)) if (entry.kind === "document") texts.set(entry.path, entry.text);
  const sides = await Promise.all(
    ["train", "heldout"].map(async (name) => {
      const [rows, sources] = [await readLines(`${name}.jsonl`), await readLines(`${name}.sources.jsonl`)];
      expect(rows).toHaveLength(sources.length);
      for (const [i, { path, start, end }] of sources.entries()) {
        expect(texts.get(String(path))!.slice(Number(start), Number(end))).toBe(rows[i]!.output);
      }
      return { rows, paths: new Set(sources.map(({ path }) => path)) };
    }),
  );
  const [train, test] = sides;
  expect([train!.rows.length, test!.rows.length]).toEqual([report.train, report.heldOut]);
  expect([...train!.paths].filter((path) => test!.paths.has(path))).toEqual([]);
  const learned = new Set(train!.rows.map(({ output }) => output));
  expect(test!.rows.filter(({ output }) => learned.has(output))).toEqual([]);
});

it("keeps what a model writes only where the answer stands in the passage", async () => {
  await writeFile(join(folder, "a.md"), page(7));
  const report = await buildDataset({
    folder,
    out: join(root, "out"),
    counter,
    write: async (prompt) =>
      prompt.includes("Oil 7")
        ? 'Here: [{"question": "How much oil?", "answer": "7 litres of oil"}, {"question": "Who?", "answer": "Ada"}]'
        : "no list",
  });
  expect(report).toMatchObject({ refused: 1, kinds: { written: 1 } });
  expect(await readLines("train.jsonl")).toContainEqual({
    instruction: "How much oil?",
    input: "",
    output: "7 litres of oil",
  });
});

it("says when there is nothing to learn, and refuses a share that leaves nothing", async () => {
  await writeFile(join(folder, "a.txt"), "nothing\n");
  const options = { folder, out: join(root, "out"), counter };
  await expect(buildDataset(options)).rejects.toThrow(DataError);
  await expect(buildDataset({ ...options, heldOut: 1 })).rejects.toThrow(ConfigError);
});
