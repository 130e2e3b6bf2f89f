import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inputTexts } from "./input-texts.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-texts-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function textsOf(name: string, contents: string): Promise<string[]> {
  const path = join(folder, name);
  await writeFile(path, contents);
  return collected(inputTexts(path));
}

async function collected(texts: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const text of texts) all.push(text);
  return all;
}

it("gives lines as they are, and texts of JSONL", async () => {
  expect(await textsOf("a.txt", 'one\n\n"two"\n')).toEqual(["one", '"two"']);
  expect(await textsOf("a.jsonl", '{"text":"one","id":1}\n"two"\n')).toEqual(["one", "two"]);
});

it("names the line that is no text, and the file that is not there", async () => {
  await expect(textsOf("b.jsonl", '"one"\n{"txt":"two"}\n')).rejects.toThrow(/b.jsonl:2: expected a text/);
  await expect(textsOf("c.jsonl", "{\n")).rejects.toThrow(/c.jsonl:1: no JSON/);
  await expect(collected(inputTexts(join(folder, "none")))).rejects.toThrow(/reading texts: .*none/);
});
