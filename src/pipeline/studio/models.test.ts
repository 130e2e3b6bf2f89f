/** @file Models from the inside over HTTP: tensors with their totals, pictures of weights, attention that fits the model. */

import { readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeRandomAdapter } from "../../../test/support/adapter-folder.js";
import { writeColourModel } from "../../../test/support/colour-model.js";
import { hostTensor } from "../../base/host-tensor.js";
import { readModelHeader, writeGgufModel } from "../../checkpoint/index.js";
import { countParameters, parameterSpecs } from "../../nn/index.js";
import { forward } from "../../plan/index.js";
import { type LoadedModel, loadModel } from "../../presets/index.js";
import { Runtime } from "../../runtime/index.js";
import { createStudioApp } from "../../server/studio/app.js";
import type { AttentionPicture, ErrorResponse, ModelFacts, WeightPicture } from "../../server/studio/wire/index.js";
import { groupsOf } from "./model-tensors.js";
import { openStudio, type Studio } from "./studio.js";
import { weightPicture } from "./weight-picture.js";

let root: string;
let studio: Studio;
let loaded: LoadedModel;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-models-"));
  const [base, adapter, gguf] = [join(root, "colours"), join(root, "adapter"), join(root, "colours.gguf")];
  await mkdir(join(root, "docs"));
  await writeColourModel(base);
  loaded = await loadModel(base);
  await writeRandomAdapter(adapter, loaded.model, { seed: 3, targets: ["q_proj"] });
  const { config, parameters } = loaded;
  await writeGgufModel(gguf, { config: { ...config, rms_norm_eps: 1e-6 }, tensors: parameters }, { type: "Q8_0" });
  studio = await openStudio({ folder: join(root, "docs"), workspace: join(root, "workspace"), base });
  const bert = fileURLToPath(new URL("../../../test/golden/encoders/bert", import.meta.url));
  studio.writers.add({ id: "adapted", label: "adapted", kind: "adapter", model: base, adapter });
  studio.writers.add({ id: "gguf", label: "gguf", kind: "base", model: gguf });
  studio.writers.add({ id: "bert", label: "bert", kind: "base", model: bert });
});
afterAll(async () => {
  await studio?.[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

const app = () => createStudioApp(studio, { assets: new Map() });
async function get<T>(path: string, query: Record<string, string>): Promise<T & ErrorResponse> {
  return (await (await app().request(`${path}?${new URLSearchParams(query)}`)).json()) as T & ErrorResponse;
}
const factsOf = (id: string) => get<ModelFacts>("/api/model", { id });
const weightsOf = (id: string, name: string) => get<WeightPicture>("/api/model/weights", { id, name });

async function attentionOf(id: string, text: string, layer: number): Promise<AttentionPicture & ErrorResponse> {
  const response = await app().request("/api/model/attention", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id, text, layer }),
  });
  return (await response.json()) as AttentionPicture & ErrorResponse;
}

const golden = (folder: string): string => fileURLToPath(new URL(`../../../test/golden/${folder}`, import.meta.url));
const goldenModels = ["families", "encoders"].flatMap((kind) =>
  readdirSync(golden(kind), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${kind}/${name}`),
);

describe("what a model is made of", () => {
  it.each(goldenModels)("is known of %s", async (name) => {
    const { tensors } = await readModelHeader(golden(name));
    const groups = groupsOf(tensors);
    const other = groups.flatMap((group) => group.tensors).filter(({ part }) => part === "other");
    expect(other.map((tensor) => tensor.name)).toEqual([]);
    expect(groups.flatMap((group) => group.tensors)).toHaveLength(tensors.size);
    expect(groups[0]!.name).toBe("embedding");
  });

  it("is every tensor once, by layer, with totals by what they are for", async () => {
    const { facts, groups, parts, numParameters, bytes, attention } = await factsOf("base");
    expect(Object.fromEntries(facts)).toMatchObject({
      family: "llama",
      layers: "2",
      head: "the embedding, read backwards",
    });
    expect(groups.map(({ name }) => name)).toEqual(["embedding", "Layer 0", "Layer 1", "head"]);
    const specs = parameterSpecs(loaded.model);
    expect(groups.flatMap(({ tensors }) => tensors.map(({ name }) => name)).sort()).toEqual(
      specs.map(({ name }) => name).sort(),
    );
    expect(numParameters).toBe(countParameters(specs));
    expect(bytes).toBe(4 * numParameters);
    expect(parts.map(({ name }) => name)).toEqual(["embedding", "attention", "mlp", "norm"]);
    expect(parts.reduce((sum, part) => sum + part.numParameters, 0)).toBe(numParameters);
    expect(attention).toEqual({ isOffered: true, numLayers: 2 });
  });

  it("is known of GGUF files, encoders and adapters too, with the reason where attention is not shown", async () => {
    const gguf = await factsOf("gguf");
    expect(gguf.groups.flatMap(({ tensors }) => tensors.map(({ type }) => type))).toContain("Q8_0");
    expect(gguf.parts.map(({ name }) => name)).toEqual(["embedding", "attention", "mlp", "norm"]);
    expect(gguf.attention.isOffered).toBe(true);
    const bert = await factsOf("bert");
    expect(bert.attention).toMatchObject({ isOffered: false, reason: expect.stringContaining("reads") });
    expect(bert.parts.map(({ name }) => name)).not.toContain("other");
    const adapted = await factsOf("adapted");
    expect(adapted.parts.find(({ name }) => name === "adapter")!.numParameters).toBe(2 * 2 * 4 * 32);
    expect(adapted.attention.isOffered).toBe(false);
    expect((await factsOf("nothing")).error).toMatchObject({ field: "id", message: expect.stringContaining("base") });
  });
});

describe("pictures of weights", () => {
  it("are means over cells, with a histogram of every weight", async () => {
    const name = "model.layers.1.mlp.down_proj.weight";
    const picture = await weightsOf("base", name);
    const values = loaded.parameters.get(name)!.data as Float32Array;
    expect(picture).toMatchObject({ shape: [32, 64], rows: 32, columns: 64 });
    expect(picture.cells[5 * 64 + 7]).toBeCloseTo(Math.abs(values[5 * 64 + 7]!), 4);
    expect(picture.histogram.reduce((a, b) => a + b)).toBe(values.length);
    expect(picture.std).toBeCloseTo(0.1 / Math.sqrt(4), 1);
    const packed = await weightsOf("gguf", "blk.1.ffn_down.weight");
    expect(packed.cells[5 * 64 + 7]).toBeCloseTo(picture.cells[5 * 64 + 7]!, 2);
    expect((await weightsOf("adapted", adapterTensor)).shape).toEqual([4, 32]);
    expect((await weightsOf("base", "../config.json")).error.field).toBe("name");
  });

  it("hold sizes that no number of cells divides", async () => {
    const data = Float32Array.from({ length: 130 * 300 }, (_, i) => (i % 300 < 150 ? 1 : -3));
    const { rows, columns, cells, mean, largest } = await weightPicture("w", hostTensor("float32", [130, 300], data));
    expect([rows, columns, largest]).toEqual([128, 128, 3]);
    expect(mean).toBeCloseTo(-1, 6);
    expect([cells[0], cells[127], cells[128 * 127], cells.at(-1)]).toEqual([1, 3, 1, 3]);
  });
});

const adapterTensor = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";

describe("attention", () => {
  it("is that of the model, by layer and head, with the text's own tokens", async () => {
    const text = "Paint the sky red.";
    const picture = await attentionOf("base", text, 1);
    const ids = loaded.tokenizer.encode(text);
    const runtime = await Runtime.open({ numThreads: 1 });
    const { attention } = await forward(runtime, loaded.model, loaded.parameters, { ids: [ids] }, { attention: true });
    await runtime.close();
    expect(picture.tokens.join("")).toBe(text);
    expect(picture.heads).toHaveLength(4);
    const expected = Array.from(attention![1]!.data as Float32Array);
    for (const [i, value] of picture.heads.flat().entries()) expect(value).toBeCloseTo(expected[i]!, 3);
    expect(studio.live.current.work).toEqual([]);
  });

  it("says what it does not show", async () => {
    expect((await attentionOf("base", "Paint the sky red.", 2)).error.message).toContain("layers 0 to 1, not 2");
    expect((await attentionOf("base", "red ".repeat(100), 0)).error).toMatchObject({
      field: "text",
      message: expect.stringContaining("1 to 64 tokens"),
    });
    expect((await attentionOf("adapted", "red", 0)).error.message).toContain(
      "choose the one that this adapter changes",
    );
    expect((await attentionOf("bert", "red", 0)).error.message).toContain("models that write");
  });
});
