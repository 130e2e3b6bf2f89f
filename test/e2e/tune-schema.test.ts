/** @file A schema of what is learned, through a whole run: data checked, outputs constrained and scored, the model's folder. */

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { runTune, type TuneConfig, type TuneEvent, verifyTuning } from "../../src/pipeline/tuning/index.js";
import { cliMain } from "../support/cli.js";
import { colourRows, writeColourModel } from "../support/colour-model.js";
import { storySentences } from "../support/story-sentences.js";

let root: string;
let base: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "tessera-schema-test-"));
  base = join(root, "base");
  await writeColourModel(base);
});
afterAll(() => rmSync(root, { recursive: true }));

function write(name: string, rows: readonly object[]): string {
  const path = join(root, name);
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return path;
}

const painted = z.strictObject({ thing: z.string(), colour: z.enum(["red", "green", "blue", "white", "black"]) });
/** Fields in another order than the schema's. */
const paintedRows = colourRows.map(({ instruction, output }) => {
  const [, thing, colour] = /The (\w+) is (\w+)\./.exec(output)!;
  return { text: instruction, colour, thing };
});
const settings = (changes: Partial<TuneConfig> = {}): TuneConfig => ({
  base,
  data: write("painted.jsonl", paintedRows),
  rowSchema: {
    schema: z.strictObject({ text: z.string(), colour: z.string(), thing: z.string() }),
    prompt: "{{ text }}",
  },
  outputSchema: painted,
  method: "full",
  learningRate: 1e-2,
  batchSize: 2,
  epochs: 6,
  evaluations: 2,
  samples: 1,
  threads: 2,
  out: join(root, "run"),
  ...changes,
});

describe("a schema of what is learned", () => {
  it("writes targets in its order, scores before and after, and is kept with the model", async () => {
    const config = settings();
    const events: TuneEvent[] = [];
    const { scores, samples } = await runTune(config, {}, (event) => events.push(event));
    expect(samples[0]!.expected).toMatch(/^\{"thing":"\w+","colour":/);
    expect(Object.keys(scores!.after)).toEqual([
      "valid-json",
      "object-match",
      "field-accuracy.thing",
      "field-accuracy.colour",
    ]);
    expect(scores!.numPrompts).toBe(4);
    expect(scores!.before!["valid-json"]).toBe(0);
    expect(scores!.after["valid-json"]).toBe(1);
    expect(scores!.after["field-accuracy.thing"]).toBeGreaterThan(scores!.before!["field-accuracy.thing"]!);
    const measured = events.flatMap((event) => (event.type === "scores" ? [event.step] : []));
    expect(measured).toHaveLength(3);
    expect(readFileSync(join(config.out!, "metrics.jsonl"), "utf8")).toContain('"type":"scores","step":0');
    expect(readFileSync(join(config.out!, "report.md"), "utf8")).toContain(
      "| valid-json | 0.0 % before, 100.0 % after |",
    );
    const kept = JSON.parse(readFileSync(join(config.out!, "model", "output_schema.json"), "utf8")) as object;
    expect(kept).toEqual(z.toJSONSchema(painted));
    expect(await verifyTuning(config.out!)).toMatchObject({ isEqual: true });
  });

  it("constrains what `tessera generate --schema` writes", async () => {
    const generate = (model: string, ...args: string[]) =>
      promisify(execFile)(process.execPath, [
        ...[cliMain, "generate", model, "--prompt", "Paint the sky red.", "--max-tokens", "60"],
        ...["--weights", "float32", "--temperature", "0", ...args],
      ]);
    const { stdout } = await generate(join(root, "run", "model"), "--schema");
    expect(painted.safeParse(JSON.parse(stdout)).success).toBe(true);
    const file = write("colour.json", [z.toJSONSchema(z.strictObject({ colour: z.enum(["red"]) }))]);
    expect((await generate(base, "--schema", file)).stdout).toBe('{"colour":"red"}');
    await expect(generate(base, "--schema")).rejects.toThrow(/has no output_schema\.json/);
  });

  it("says what does not fit it", async () => {
    const wrong = write("wrong.jsonl", [paintedRows[0]!, { ...paintedRows[1]!, colour: "pink" }]);
    await expect(runTune(settings({ data: wrong, out: join(root, "no") }))).rejects.toThrow(
      /wrong\.jsonl:2: completion\.colour: .*"red"/,
    );
    const odd = {
      type: "object",
      properties: { thing: { type: "string" }, colour: { type: "string" } },
      minProperties: 1,
    };
    await expect(runTune(settings({ outputSchema: odd, out: join(root, "no") }))).rejects.toThrow("minProperties");
    const { outputSchema: _, ...rest } = settings();
    await expect(runTune({ ...rest, metrics: ["valid-json"] })).rejects.toThrow(
      'metric "valid-json" needs an outputSchema',
    );
    await expect(runTune({ ...rest })).rejects.toThrow("there is no completion");
  });
});

const stories = fileURLToPath(new URL("../../../shared/data/llm-stories260k/stories260K.bin", import.meta.url));

describe.skipIf(!existsSync(stories))("500 sentences of real stories (need ../shared/data)", () => {
  it("teach who is named in one: from no object to most of them", async () => {
    const report = await runTune({
      base: stories,
      data: write("stories.jsonl", storySentences().slice(0, 550)),
      rowSchema: {
        schema: z.strictObject({ sentence: z.string(), name: z.string(), speech: z.boolean() }),
        prompt: "{{ sentence }}",
      },
      outputSchema: z.strictObject({ name: z.string().max(20), speech: z.boolean() }),
      method: "full",
      learningRate: 0.003,
      epochs: 1,
      evaluations: 1,
      samples: 0,
      threads: 2,
      merge: false,
      out: join(root, "stories"),
    });
    expect(report.data.train).toBe(495);
    const { before, after } = report.scores!;
    expect(before!["object-match"]).toBeLessThan(0.1);
    expect(after["object-match"]! - before!["object-match"]!).toBeGreaterThan(0.4);
    expect(after["field-accuracy.name"]).toBeGreaterThan(0.5);
    expect(after["valid-json"]).toBeGreaterThan(0.9);
  }, 120_000);
});
