/** @file What the documentation shows runs, and says what it says there. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, expect, it, vi } from "vitest";
import { ggmlTypes } from "../../src/checkpoint/index.js";
import { exporters } from "../../src/export/index.js";
import { encoderDecoders, encoders, families } from "../../src/models/index.js";
import { ropeScalings } from "../../src/nn/index.js";
import { tokenizerModels } from "../../src/tokenizers/index.js";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** What an import prints. */
async function printed(load: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await load();
  return lines;
}

afterEach(() => vi.restoreAllMocks());

it("the hand-written network of the tutorial separates the moons", async () => {
  const lines = await printed(() => import("../../examples/hand-written-network.js"));
  const accuracy = Number(/accuracy ([\d.]+) %/.exec(lines.at(-1)!)![1]);
  expect(accuracy).toBeGreaterThanOrEqual(95);
});

it("the ten lines of the README quote the passage and write on", async () => {
  const lines = await printed(() => import("../../examples/ask-a-folder.js"));
  expect(lines[0]).toMatch(/^adding\/op\.md, characters \d+ to \d+: /);
  expect(lines.at(-1)!.length).toBeGreaterThan("The model writes on: Adding a chunker".length + 20);
});

it("the guide to long texts shows its example as it is, and what it does", async () => {
  const lines = await printed(() => import("../../examples/fit-a-document.js"));
  expect(lines.map((line) => line.slice(0, line.indexOf(":")))).toEqual(["whole", "retrieve", "compress", "compress"]);
  const guide = read("docs/guides/long-texts.md");
  const shown = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!.trim());
  expect(read("examples/fit-a-document.ts")).toContain(shown.at(-1)!);
});

it("the guide to retrieval shows its example and what it prints", async () => {
  const lines = await printed(() => import("../../examples/retrieve.js"));
  const guide = read("docs/guides/retrieval.md");
  expect(guide).toContain(lines.join("\n"));
  const shown = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!.trim());
  expect(read("examples/retrieve.ts")).toContain(shown[1]!);
});

it("the README shows the example as it is", () => {
  const [shown] = /(?<=```ts\n)[\s\S]*?(?=```)/.exec(read("README.md"))!;
  expect(read("examples/ask-a-folder.ts")).toContain(shown);
});

it("the tutorial shows the example as it is", () => {
  const tutorial = read("docs/tutorials/hand-written-network.md");
  const shown = [...tutorial.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!.trim());
  const source = read("examples/hand-written-network.ts");
  expect(shown.length).toBeGreaterThan(3);
  for (const code of shown) expect(source).toContain(code);
});

it("the guide to training steps shows the example as it is", () => {
  expect(read("docs/guides/training-step.md")).toContain(read("examples/train_from_python.py"));
});

const storiesBin = fileURLToPath(new URL("../../../shared/data/llm-stories260k/stories260K.bin", import.meta.url));

it.skipIf(!existsSync(storiesBin))("the guide to the AI SDK shows its example and what it prints", async () => {
  const lines = await printed(() => import("../../examples/ai-sdk.js"));
  const guide = read("docs/guides/ai-sdk.md");
  const [, shown] = /\n```\n(Once[\s\S]*?)\n```/.exec(guide)!;
  expect(lines.join("\n")).toBe(shown);
  expect(read("examples/ai-sdk.ts")).toContain(/(?<=```ts\n)[\s\S]*?(?=```)/.exec(guide)![0]);
});

it("the support table names everything in the registries", () => {
  const page = read("docs/support.md");
  const registries = [families, encoders, encoderDecoders, ropeScalings, exporters, ggmlTypes, tokenizerModels];
  for (const key of registries.flatMap(Object.keys)) expect(page, key).toContain(`\`${key}\``);
});
