/** @file Conversations with a folder line by line, at a terminal and from a script. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DataError } from "../base/errors.js";
import { KnowledgeBase } from "../pipeline/knowledge-base/knowledge-base.js";
import { dialogueLoop } from "./dialogue-loop.js";

let root: string;
let knowledge: KnowledgeBase;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-dialogue-"));
  await writeFile(join(root, "pump.md"), "# Pump\n\nThe pump starts at 40 degrees. It weighs nine kilograms.\n");
  const settings = { embedder: "none" };
  knowledge = await KnowledgeBase.open(join(root, "pump.md"), { workspace: join(root, "workspace"), settings });
  await knowledge.sync();
});
afterEach(async () => {
  await knowledge.close();
  await rm(root, { recursive: true });
});

/** What is written for lines of input. */
async function written(lines: readonly string[], isTerminal: boolean, first = ""): Promise<string> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  input.end(lines.map((line) => `${line}\n`).join(""));
  const all = readAll(output);
  const text = ({ question, standalone = "-", answer }: { question: string; standalone?: string; answer: object }) =>
    `${question} | ${standalone} | ${JSON.stringify(answer).includes("40 degrees")}`;
  try {
    await dialogueLoop(knowledge.dialogue({ limit: 1 }), first, { input, output, isTerminal, text });
  } finally {
    output.end();
  }
  return all;
}

it("answers line after line, each with those before it", async () => {
  const lines = ["", "  And its weight? ", "/clear", "weight", "/exit", "more"];
  expect(await written(lines, false, "When does the pump start?")).toBe(
    "When does the pump start? | - | true\nAnd its weight? | And its weight? pump start | true\nweight | - | false\n",
  );
});

it("says at a terminal what there is and what goes wrong, and goes on", async () => {
  const talk = async () => written(["/help", "When does the pump start?", "/clear"], true);
  expect(await talk()).toMatch(/^> {3}\/clear [\s\S]*> When does the pump start\? \| - \| true\n> forgotten\n> $/);
  await rm(join(root, "pump.md"));
  expect(await talk()).toMatch(/> quoting: pump\.md is gone; .*\n> forgotten\n> $/);
  await expect(written(["When does the pump start?"], false)).rejects.toThrow(DataError);
});
