/** @file A context that tuning makes longer: what is written, who reads it, and what is refused. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type JsonValue, writeModel } from "../../src/checkpoint/index.js";
import { modelFromConfig } from "../../src/models/index.js";
import { initialize, parameterSpecs } from "../../src/nn/index.js";
import { loadAdapter } from "../../src/peft/index.js";
import { runTune, type TuneConfig, verifyTuning } from "../../src/pipeline/tuning/index.js";
import { loadModel } from "../../src/presets/index.js";
import { toTokenizerJson, trainByteLevelBpe } from "../../src/tokenizers/index.js";

const SHORT = 32;
const LONG = 96;
let root: string;
let data: string;

const song = Array.from({ length: 12 }, (_, i) => `${12 - i} green bottles hanging on the wall. `).join("");

async function writeBase(name: string, config: Readonly<Record<string, JsonValue>>): Promise<string> {
  const tokenizer = trainByteLevelBpe([song], { vocabSize: 280, specialTokens: ["<|end|>"] });
  const files = new Map(
    Object.entries({
      "tokenizer.json": toTokenizerJson(tokenizer),
      "tokenizer_config.json": JSON.stringify({ model_max_length: SHORT, clean_up_tokenization_spaces: false }),
    }).map(([file, text]) => [file, new TextEncoder().encode(text)]),
  );
  const whole = { vocab_size: tokenizer.vocabSize, eos_token_id: 0, bos_token_id: 0, ...config };
  const folder = join(root, name);
  await writeModel(folder, { config: whole, tensors: initialize(parameterSpecs(modelFromConfig(whole)), 1), files });
  return folder;
}

const sizes = { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 4 };
let base: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "tessera-context-test-"));
  base = await writeBase("base", { model_type: "llama", ...sizes, max_position_embeddings: SHORT });
  data = join(root, "songs.jsonl");
  const rows = Array.from({ length: 12 }, (_, i) => ({ text: song.slice(20 * i) + song.slice(0, 20 * i) }));
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});
afterAll(() => rmSync(root, { recursive: true }));

const config = (changes: Partial<TuneConfig>): TuneConfig => ({
  base,
  data,
  method: "full",
  contextLength: LONG,
  batchSize: 2,
  steps: 2,
  samples: 0,
  evaluations: 1,
  threads: 2,
  out: join(root, `run-${Object.values(changes).join("-").replaceAll(/\W/g, "")}`),
  ...changes,
});

const json = (...path: string[]): Record<string, unknown> => JSON.parse(readFileSync(join(...path), "utf8"));

const yarn = { rope_type: "yarn", factor: LONG / SHORT, original_max_position_embeddings: SHORT };

describe("tuning with contextLength", () => {
  it("trains longer rows of all weights and writes a model that says how far it reaches", async () => {
    const report = await runTune(config({}));
    expect(report.context).toMatchObject({ from: SHORT, to: LONG, keys: { rope_scaling: yarn } });
    expect(report.data.time).toBe(LONG);
    expect(json(report.out, "model", "config.json")).toMatchObject({
      max_position_embeddings: LONG,
      rope_scaling: yarn,
    });
    expect(json(report.out, "model", "tokenizer_config.json")).toEqual({
      model_max_length: LONG,
      clean_up_tokenization_spaces: false,
    });
    const { model } = await loadModel(join(report.out, "model"));
    expect(model.maxPositions).toBe(LONG);
    expect(readFileSync(join(report.out, "report.md"), "utf8")).toContain("| context | 32 positions made 96 by");
    expect((await verifyTuning(report.out)).isEqual).toBe(true);
    // and what has been extended can be extended again
    const again = await runTune(
      config({ base: join(report.out, "model"), contextLength: 128, out: join(root, "again") }),
    );
    expect(again.context?.keys.rope_scaling).toEqual({ ...yarn, factor: 4 });
  });

  it.each(["lora", "longlora", "qlora"] as const)(
    "by %s writes the merged model, and an adapter that an unscaled base is refused for",
    async (method) => {
      const report = await runTune(config({ method, methodOptions: { r: 2 } }));
      expect(report.files).toEqual(["adapter/adapter_model.safetensors", "model/model.safetensors"]);
      const adapter = join(report.out, "adapter");
      const unscaled = await loadModel(base);
      await expect(loadAdapter(adapter, unscaled.model)).rejects.toThrow(
        /trained on a base whose config.json says "max_position_embeddings": 96, this one has 32; take the merged model/,
      );
      const scaled = modelFromConfig({ ...unscaled.config, max_position_embeddings: LONG, rope_scaling: yarn });
      expect((await loadAdapter(adapter, scaled)).adapter.baseConfig).toEqual(report.context?.keys);
      const other = { ...yarn, factor: 2 };
      const wrong = modelFromConfig({ ...unscaled.config, max_position_embeddings: LONG, rope_scaling: other });
      await expect(loadAdapter(adapter, wrong)).rejects.toThrow('"rope_scaling"');
    },
  );

  it("refuses what could not become longer, before anything is written", async () => {
    const learned = await writeBase("learned", {
      model_type: "gpt2",
      n_embd: 32,
      n_layer: 1,
      n_head: 2,
      n_positions: SHORT,
    });
    const biased = await writeBase("biased", { model_type: "bloom", hidden_size: 32, n_layer: 1, n_head: 2 });
    const out = join(root, "refused");
    const refused = (changes: Partial<TuneConfig>) => expect(runTune(config({ out, ...changes }))).rejects;
    await refused({ base: learned }).toThrow("learned 32 positions");
    await refused({ base: biased, contextLength: 4096 }).toThrow("ALiBi");
    await refused({ contextLength: 16 }).toThrow("32 positions already");
    await refused({ length: 32 }).toThrow("teach nothing of a context beyond 32");
    await refused({ method: "prefix" }).toThrow("prefix has no merged model");
    await refused({ method: "lora", merge: false }).toThrow("leave merge out");
    await refused({ contextLength: undefined, ropeScaling: "yarn" }).toThrow("give contextLength with it");
    const short = join(root, "short.jsonl");
    writeFileSync(short, ["one", "two", "three", "four"].map((text) => `${JSON.stringify({ text })}\n`).join(""));
    await refused({ data: short, heldOut: 0 }).toThrow("give longer texts");
    expect(existsSync(out)).toBe(false);
  });
});
