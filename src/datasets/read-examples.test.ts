import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { ConfigError, DataError } from "../base/errors.js";
import { readExamples } from "./read-examples.js";
import { schemaFormat } from "./schema-format.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-data-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(name: string, contents: unknown): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  const isLines = Array.isArray(contents) && name.endsWith(".jsonl");
  const text = isLines ? contents.map((row) => JSON.stringify(row)).join("\n") : JSON.stringify(contents);
  await writeFile(path, typeof contents === "string" ? contents : text);
  return path;
}

const alpaca = (n: number, output = `${n}`) => ({ instruction: `say ${n}`, output });

describe("readExamples", () => {
  it("gathers the faults of all files before it throws", async () => {
    const a = await file("a.jsonl", [alpaca(1), { instruction: 1, output: ["x"] }, 5]);
    const b = await file("b.json", [alpaca(1), { ...alpaca(2), history: [["q", 3]] }]);
    await expect(readExamples([a, b])).rejects.toThrow(
      new DataError(
        `reading data: 4 faults:\n  ${a}:2: instruction: Invalid input: expected string, received number\n` +
          `  ${a}:2: output: Invalid input: expected string, received array\n` +
          `  ${a}:3: expected an object, found 5\n` +
          `  ${b}:1: history[0][1]: Invalid input: expected string, received number`,
      ),
    );
  });

  it("counts unknown fields, and leaves them out where one asks for it", async () => {
    const rows = [1, 2, 3].map((n) => ({
      messages: [
        { role: "user", content: "hi", id: n },
        { role: "assistant", content: `${n}` },
      ],
      ...(n > 1 && { source: "web" }),
    }));
    const path = await file("a.jsonl", rows);
    await expect(readExamples(path)).rejects.toThrow(
      /2 faults:\n.*a.jsonl:1: messages\[\]\.id: unknown field, in 3 rows.*\n.*a.jsonl:2: source: unknown field, in 2 rows; messages has messages, tools/,
    );
    const { examples, report } = await readExamples(path, { unknownFields: "ignore" });
    expect(report.files[0]!.unknownFields).toEqual({ "messages[].id": 3, source: 2 });
    expect(examples[2]!.body).toMatchObject({ messages: [{ role: "user", content: "hi" }, { content: "3" }] });
    expect(examples[0]!.body).not.toHaveProperty("messages.0.id");
  });

  it("leaves out empty examples and counts duplicates", async () => {
    const path = await file("a.jsonl", [alpaca(1), alpaca(2, " "), alpaca(1), alpaca(3), alpaca(1)]);
    const kept = await readExamples(path);
    expect(kept.examples.map(({ place }) => place.line)).toEqual([1, 3, 4, 5]);
    expect(kept.report).toMatchObject({ empty: [{ line: 2 }], duplicates: [{ line: 3 }, { line: 5 }], numExamples: 4 });
    expect(kept.report.files).toEqual([
      { path, format: "alpaca", reason: "has instruction and output", numRows: 5, unknownFields: {} },
    ]);
    const dropped = await readExamples(path, { duplicates: "drop" });
    expect(dropped.examples.map(({ place }) => place.line)).toEqual([1, 4]);
    await expect(readExamples(await file("b.jsonl", [alpaca(1, "")]))).rejects.toThrow(
      /nothing to learn in .*b.jsonl \(1 rows\)/,
    );
  });

  it("maps columns and keeps a score", async () => {
    const path = await file("a.jsonl", [
      { question: "1+1", answer: "2", hard: 0.5 },
      { question: "2+2", answer: "4", hard: 2 },
    ]);
    const columns = { instruction: "question", output: "answer" };
    const { examples } = await readExamples(path, { columns, scoreColumn: "hard" });
    expect(examples.map(({ score }) => score)).toEqual([0.5, 2]);
    expect(examples[1]!.body).toMatchObject({ messages: [{ content: "2+2" }, { content: "4" }] });
    const swapped = { prompt: "answer", completion: "question" };
    const turned = await readExamples(path, { columns: swapped, scoreColumn: "hard" });
    expect(turned.examples[0]!.body).toEqual({ kind: "completion", prompt: "2", completion: "1+1" });
    const wrong = (options: Parameters<typeof readExamples>[1]) => expect(readExamples(path, options)).rejects;
    await wrong({ columns: { ...columns, input: "context" }, unknownFields: "ignore" }).toThrow(
      /has a column context; they have question, answer, hard/,
    );
    await wrong({ columns: { ...columns, cat: "hard" } }).toThrow(/alpaca has no field cat; it has instruction, input/);
    await wrong({ columns, scoreColumn: "answer" }).toThrow(/answer: expected a number as score, found "2"/);
    await wrong({ format: "csv" as "text" }).toThrow(ConfigError);
  });

  it("does not lose a column whose name is taken", async () => {
    const path = await file("a.jsonl", [{ text: "old", body: "new" }]);
    await expect(readExamples(path, { columns: { text: "body" } })).rejects.toThrow(/text: unknown field, in 1 row/);
    const { examples } = await readExamples(path, { columns: { text: "body" }, unknownFields: "ignore" });
    expect(examples[0]!.body).toEqual({ kind: "text", text: "new" });
  });

  it("reads text files, by the whole or by line", async () => {
    const path = await file("a.txt", "one\n\ntwo\r\n");
    expect((await readExamples(path)).examples.map(({ body }) => body)).toEqual([
      { kind: "text", text: "one\n\ntwo\r\n" },
    ]);
    const { examples } = await readExamples(path, { textUnit: "line" });
    expect(examples.map(({ body, place }) => [body, place])).toEqual([
      [
        { kind: "text", text: "one" },
        { file: path, line: 1 },
      ],
      [
        { kind: "text", text: "two" },
        { file: path, line: 3 },
      ],
    ]);
    await expect(readExamples(path, { format: "alpaca" })).rejects.toThrow(/is text; formats and columns are for JSON/);
  });

  it("takes the rows of a folder by the names of its files, else its documents", async () => {
    await file("set/train-1.jsonl", [alpaca(1), alpaca(2)]);
    await file("set/validation.jsonl", [alpaca(3)]);
    await file("set/test.jsonl", [alpaca(4)]);
    await file("set/README.md", "# Data");
    const set = await readExamples(join(folder, "set"));
    expect([set.examples.length, set.heldOut.length]).toEqual([2, 1]);
    expect(set.report.skipped.map(({ reason }) => reason)).toEqual(["no JSON or JSONL", "named as test data"]);
    await file("docs/a.md", "# A");
    await file("docs/more/b.txt", "B");
    await file("docs/c.png", "C");
    const docs = await readExamples(join(folder, "docs"));
    expect(docs.examples.map(({ body }) => body)).toEqual([
      { kind: "text", text: "# A" },
      { kind: "text", text: "B" },
    ]);
    expect(docs.report.skipped).toHaveLength(1);
    await expect(readExamples(join(folder, "none"))).rejects.toThrow(/none.*check the path/);
  });
});

describe("schemaFormat", () => {
  const templates = { system: "Extract.", prompt: "{{ text }}", completion: "{{ row.entities | tojson }}" };
  const jsonSchema = {
    type: "object" as const,
    properties: {
      text: { type: "string" as const },
      entities: { type: "array" as const, items: { type: "string" as const } },
    },
    required: ["text", "entities"],
    additionalProperties: false,
  };
  const zod = z.strictObject({ text: z.string(), entities: z.array(z.string()).default([]) });

  it.each([
    ["JSON Schema", jsonSchema],
    ["Zod", zod],
  ])("checks rows by a %s and fills the templates", async (_, schema) => {
    const format = schemaFormat({ schema, ...templates });
    const path = await file("a.jsonl", [{ text: "Ann met Bo", entities: ["Ann", "Bo"] }]);
    const { examples } = await readExamples(path, { format });
    expect(examples[0]!.body).toMatchObject({
      messages: [
        { role: "system", content: "Extract." },
        { role: "user", content: "Ann met Bo" },
        { role: "assistant", content: '["Ann", "Bo"]' },
      ],
    });
    const wrong = await file("b.jsonl", [
      { text: 1, entities: ["x", 2] },
      { text: "x", entities: [], more: 1 },
    ]);
    await expect(readExamples(wrong, { format })).rejects.toThrow(
      /3 faults:[\s\S]*:1: text: .*[\s\S]*:1: entities\[1\]: [\s\S]*:2: more: unknown field/,
    );
  });

  it("uses what the schema makes of a row", async () => {
    const format = schemaFormat({ schema: zod, ...templates });
    const { examples } = await readExamples(await file("a.jsonl", [{ text: "x" }]), { format });
    expect(examples[0]!.body).toMatchObject({ messages: [{}, {}, { content: "[]" }] });
  });

  it("says which template is none", () => {
    expect(() => schemaFormat({ schema: zod, prompt: "{% if %}", completion: "" })).toThrow(
      /schemaFormat: prompt: .*not a Jinja template/,
    );
  });
});
