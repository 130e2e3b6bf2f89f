import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { jsonSchemaOf, OutputSchema } from "./output-schema.js";
import { readExamples } from "./read-examples.js";
import { schemaFormat } from "./schema-format.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-output-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = async (rows: readonly object[]): Promise<string> => {
  const path = join(folder, "rows.jsonl");
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
};

const person = z.strictObject({ name: z.string(), age: z.int().min(0), tags: z.array(z.string()).optional() });

describe("output schemas", () => {
  const output = new OutputSchema(person);

  it("write members in their order, at every depth, through references and alternatives", () => {
    expect(JSON.stringify(output.read('{"tags": ["b"], "age": 3, "name": "Ann"}').value)).toBe(
      '{"name":"Ann","age":3,"tags":["b"]}',
    );
    const nested = new OutputSchema({
      type: "object",
      properties: {
        who: { $ref: "#/$defs/one" },
        shape: { anyOf: [{ $ref: "#/$defs/round" }, { $ref: "#/$defs/one" }] },
      },
      $defs: {
        one: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a"] },
        round: { type: "object", properties: { r: { type: "number" } }, required: ["r"] },
      },
    });
    const { value } = nested.read('{"shape": {"b": 1, "a": 2}, "who": {"b": 3, "a": 4}}');
    expect(JSON.stringify(value)).toBe('{"who":{"a":4,"b":3},"shape":{"a":2,"b":1}}');
    expect(output.fields).toEqual(["name", "age", "tags"]);
  });

  it("say what is wrong, with the path", () => {
    expect(output.read("{name: 1}").faults![0]!.message).toMatch(/^no JSON: /);
    expect(
      output
        .read('{"name": "Ann", "age": -1, "tags": ["a", 2]}')
        .faults!.map(({ path }) => path)
        .sort(),
    ).toEqual(["age", "tags[1]"]);
    expect(output.read('{"name": "Ann", "age": 1, "more": 2}').faults).toEqual([
      { path: "more", message: "the output schema does not name it; add it there, or additionalProperties" },
    ]);
    const open = new OutputSchema({ type: "object", properties: { a: {} } });
    // JSON Schema allows it, but no constrained output could have it
    expect(open.read('{"a": 1, "b": 2}').faults![0]!.path).toBe("b");
  });

  it("refuse Zod that no JSON Schema says", () => {
    expect(() => jsonSchemaOf(z.string().transform(Number))).toThrow("has no JSON Schema");
  });

  it("name file, line and path of wrong completions, in any format", async () => {
    const path = await write([
      { instruction: "Who?", output: '{"age": 3, "name": "Ann"}' },
      { instruction: "Who?", output: '{"age": "3", "name": "Ann"}' },
      { instruction: "Who?", output: "Ann" },
      { instruction: "Who?", output: "" },
    ]);
    await expect(readExamples(path, { output })).rejects.toThrow(
      /2 faults:\n {2}.*rows\.jsonl:2: completion\.age: .*expected .*string\n {2}.*rows\.jsonl:3: completion: no JSON/,
    );
    const right = await write([{ prompt: "Who?", completion: ' {"age": 3, "name": "Ann"}' }]);
    const { examples } = await readExamples(right, { output });
    expect(examples[0]!.body).toMatchObject({ completion: '{"name":"Ann","age":3}' });
  });

  it("make the completion of rows that have its fields", async () => {
    const row = z.strictObject({ text: z.string(), age: z.number(), name: z.string() });
    const format = schemaFormat({ schema: row, prompt: "{{ text }}", output });
    const { examples } = await readExamples(await write([{ text: "Ann is 3", age: 3, name: "Ann" }]), {
      format,
      output,
    });
    expect(examples[0]!.body).toMatchObject({
      messages: [{ content: "Ann is 3" }, { content: '{"name":"Ann","age":3}' }],
    });
    expect(() => schemaFormat({ schema: row, prompt: "" })).toThrow("there is no completion");
    const templated = schemaFormat({
      schema: row,
      prompt: "{{ text }}",
      completion: "{{ {'age': age, 'name': 1} | tojson }}",
    });
    await expect(
      readExamples(await write([{ text: "Ann is 3", age: 3, name: "Ann" }]), { format: templated, output }),
    ).rejects.toThrow(/rows\.jsonl:1: completion\.name: /);
  });
});
