/** @file Tests of llama2.c checkpoints: made-up files of every version, damage, and the real stories260K files. */

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckpointError } from "../base/errors.js";
import type { HostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { readLlama2c } from "./llama2c.js";

const data = fileURLToPath(new URL("../../../shared/data/llm-stories260k/", import.meta.url));

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-llama2c-"));
  path = join(folder, "model.bin");
});
afterEach(() => rm(folder, { recursive: true }));

interface Sizes {
  dim: number;
  hidden: number;
  layers: number;
  heads: number;
  kvHeads: number;
  vocab: number;
  seq: number;
}

const tiny: Sizes = { dim: 8, hidden: 12, layers: 2, heads: 2, kvHeads: 1, vocab: 10, seq: 6 };

function header({ dim, hidden, layers, heads, kvHeads, vocab, seq }: Sizes): Int32Array {
  return Int32Array.of(dim, hidden, layers, heads, kvHeads, vocab, seq);
}

/** One tensor of small whole numbers, which int8 with scale 1 holds exactly, so that all versions can agree. */
type Weights = Record<string, Int8Array>;

function randomWeights(sizes: Sizes, seed = 1): Weights {
  const rng = new Rng(seed);
  const { dim, hidden, layers, heads, kvHeads, vocab } = sizes;
  const make = (size: number) => Int8Array.from({ length: size }, () => rng.below(255) - 127);
  const kv = (dim / heads) * kvHeads;
  return {
    embedding: make(vocab * dim),
    attentionNorm: make(layers * dim),
    wq: make(layers * dim * dim),
    wk: make(layers * kv * dim),
    wv: make(layers * kv * dim),
    wo: make(layers * dim * dim),
    mlpNorm: make(layers * dim),
    w1: make(layers * hidden * dim),
    w2: make(layers * dim * hidden),
    w3: make(layers * hidden * dim),
    norm: make(dim),
    head: make(vocab * dim),
  };
}

const floats = (values: Int8Array) => Buffer.from(Float32Array.from(values).buffer);

function legacyFile(sizes: Sizes, w: Weights, isShared: boolean): Buffer {
  const names = ["embedding", "attentionNorm", "wq", "wk", "wv", "wo", "mlpNorm", "w1", "w2", "w3", "norm"];
  const tables = Buffer.alloc(4 * sizes.seq * (sizes.dim / sizes.heads), 0xff);
  const vocab = isShared ? sizes.vocab : -sizes.vocab;
  const rest = isShared ? [] : [floats(w.head!)];
  return Buffer.concat([
    Buffer.from(header({ ...sizes, vocab }).buffer),
    ...names.map((name) => floats(w[name]!)),
    tables,
    ...rest,
  ]);
}

function versionedFile(sizes: Sizes, w: Weights, isShared: boolean, groupSize?: number): Buffer {
  const head = Buffer.alloc(256);
  head.write("24ka");
  head.writeInt32LE(groupSize ? 2 : 1, 4);
  Buffer.from(header(sizes).buffer).copy(head, 8);
  head.writeUInt8(isShared ? 1 : 0, 36);
  if (groupSize) head.writeInt32LE(groupSize, 37);
  const linear = ["embedding", "wq", "wk", "wv", "wo", "w1", "w2", "w3", ...(isShared ? [] : ["head"])];
  const ones = (size: number) => Buffer.from(new Float32Array(size).fill(1).buffer);
  const store = (name: string): Buffer[] => {
    if (!groupSize) return [floats(w[name]!)];
    const count = name === "embedding" || name === "head" ? 1 : sizes.layers;
    const size = w[name]!.length / count;
    return Array.from({ length: count }, (_, i) => [
      Buffer.from(w[name]!.slice(i * size, (i + 1) * size)),
      ones(size / groupSize),
    ]).flat();
  };
  return Buffer.concat([
    head,
    ...["attentionNorm", "mlpNorm", "norm"].map((name) => floats(w[name]!)),
    ...linear.flatMap(store),
  ]);
}

async function read(bytes: Uint8Array) {
  await writeFile(path, bytes);
  return readLlama2c(path);
}

describe("made-up files", () => {
  it.each([true, false])("agree in every version, shared classifier %s", async (isShared) => {
    const weights = randomWeights(tiny);
    const v0 = await read(legacyFile(tiny, weights, isShared));
    const v1 = await read(versionedFile(tiny, weights, isShared));
    const v2 = await read(versionedFile(tiny, weights, isShared, 4));
    expect(v1).toEqual(v0);
    expect(v2).toEqual(v0);
    expect(v0.tensors.has("lm_head.weight")).toBe(!isShared);
    expect(v0.tensors.size).toBe(2 + 9 * tiny.layers + (isShared ? 0 : 1));
  });

  it("become Hugging Face names, shapes and config", async () => {
    const weights = randomWeights(tiny);
    const { config, tensors } = await read(versionedFile(tiny, weights, false));
    expect(config).toEqual({
      model_type: "llama",
      hidden_size: 8,
      intermediate_size: 12,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      vocab_size: 10,
      max_position_embeddings: 6,
      tie_word_embeddings: false,
      hidden_act: "silu",
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      bos_token_id: 1,
      eos_token_id: 1,
    });
    expect(tensors.get("model.layers.1.self_attn.v_proj.weight")?.shape).toEqual([4, 8]);
    expect(tensors.get("model.layers.1.mlp.gate_proj.weight")?.data).toEqual(Float32Array.from(weights.w1!.slice(96)));
    expect(tensors.get("model.layers.0.mlp.down_proj.weight")?.shape).toEqual([8, 12]);
    expect(tensors.get("model.layers.1.mlp.up_proj.weight")?.data).toEqual(Float32Array.from(weights.w3!.slice(96)));
    expect(tensors.get("lm_head.weight")?.data).toEqual(Float32Array.from(weights.head!));
  });

  it("multiply int8 groups by their scales, groups across rows too", async () => {
    const bytes = versionedFile(tiny, randomWeights(tiny), true, 16);
    const embedding = 256 + 4 * (2 * tiny.layers + 1) * tiny.dim;
    bytes.writeFloatLE(0.3, embedding + 80 + 4); // scale of elements 16 … 31
    const table = (await read(bytes)).tensors.get("model.embed_tokens.weight")!;
    const stored = bytes.subarray(embedding, embedding + 80).map((byte) => byte);
    const expected = [...stored].map((byte, i) =>
      Math.fround(((byte << 24) >> 24) * (i >= 16 && i < 32 ? Math.fround(0.3) : 1)),
    );
    expect([...table.data]).toEqual(expected);
  });

  // many heads, grouped heads, one kv head
  it.each([
    [4, 4],
    [4, 2],
    [4, 1],
  ])("score alike after rotating halves as before rotating pairs, heads %i of %i", async (heads, kvHeads) => {
    const sizes = { ...tiny, dim: 16, heads, kvHeads, layers: 1 };
    const weights = randomWeights(sizes, heads * 10 + kvHeads);
    const { tensors } = await read(versionedFile(sizes, weights, true));
    const x = Float64Array.from({ length: 16 }, (_, i) => Math.sin(i + 1));
    const headDim = 16 / heads;
    const rotatedPairs = (values: Int8Array, at: number) => rotate(project(values, x), headDim, at, "pairs");
    const rotatedHalves = (name: string, at: number) => {
      const { data } = tensors.get(`model.layers.0.self_attn.${name}.weight`) as HostTensor & { data: Float32Array };
      return rotate(project(data, x), headDim, at, "halves");
    };
    const [q, k] = [rotatedPairs(weights.wq!, 5), rotatedPairs(weights.wk!, 2)];
    const [q2, k2] = [rotatedHalves("q_proj", 5), rotatedHalves("k_proj", 2)];
    for (let h = 0; h < heads; h++) {
      const g = Math.floor((h * kvHeads) / heads);
      const expected = dot(slice(q, h, headDim), slice(k, g, headDim));
      expect(dot(slice(q2, h, headDim), slice(k2, g, headDim)) / expected).toBeCloseTo(1, 10);
    }
  });
});

/** W [N, D] times x [D]. */
function project(w: Int8Array | Float32Array, x: Float64Array): number[] {
  return Array.from({ length: w.length / x.length }, (_, row) =>
    x.reduce((sum, value, i) => sum + value * w[row * x.length + i]!, 0),
  );
}

/** Rotary embedding of each head, on elements (2i, 2i+1) or (i, C/2+i). */
function rotate(values: number[], headDim: number, position: number, kind: "pairs" | "halves"): number[] {
  const out = [...values];
  for (let i = 0; i < values.length / 2; i++) {
    const within = i % (headDim / 2);
    const start = Math.floor(i / (headDim / 2)) * headDim;
    const a = start + (kind === "pairs" ? 2 * within : within);
    const b = kind === "pairs" ? a + 1 : a + headDim / 2;
    const angle = position / 10000 ** ((2 * within) / headDim);
    out[a] = values[a]! * Math.cos(angle) - values[b]! * Math.sin(angle);
    out[b] = values[a]! * Math.sin(angle) + values[b]! * Math.cos(angle);
  }
  return out;
}

const slice = (values: number[], head: number, size: number) => values.slice(head * size, (head + 1) * size);
const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("refuses", () => {
  const weights = randomWeights(tiny);
  const v1 = () => versionedFile(tiny, weights, true);
  const v2 = () => versionedFile(tiny, weights, true, 4);
  const legacy = () => legacyFile(tiny, weights, true);
  const changed = (bytes: Buffer, at: number, value: number) => {
    bytes.writeInt32LE(value, at);
    return bytes;
  };
  it.each<[string, () => Uint8Array, RegExp]>([
    ["nothing", () => new Uint8Array(0), /header has 28 bytes, the file has 0/],
    ["half a header", () => v1().subarray(0, 100), /header has 256 bytes, the file has 100/],
    ["text", () => Buffer.from("a text that is longer than the header of a legacy file"), /expected a llama2.c header/],
    [
      "a legacy file cut off",
      () => legacy().subarray(0, -1),
      /version 0 file with dim 8.* has \d+ bytes, this one has/,
    ],
    ["a file cut off", () => v1().subarray(0, -4), /not complete/],
    ["a file that goes on", () => Buffer.concat([v2(), Buffer.alloc(1)]), /version 2 file.*has \d+ bytes/],
    ["version 3", () => changed(v1(), 4, 3), /version 1 or 2, found version 3/],
    ["version 0 with the magic", () => changed(v1(), 4, 0), /found version 0/],
    ["a negative version", () => changed(v1(), 4, -1), /found version -1/],
    ["another magic", () => changed(v1(), 0, 0x616b3433), /llama2.c/],
    [
      "the largest sizes",
      () => Buffer.concat([Buffer.from(Int32Array.of(2 ** 30, 2 ** 31 - 1, 2 ** 31 - 1, 2, 1, 2 ** 31 - 1, 9).buffer)]),
      /version 0 file with/,
    ],
    ["a wrong size", () => changed(v1(), 12, 16), /hidden_dim 16.* has \d+ bytes, this one has/],
    ["a negative size", () => changed(v1(), 16, -2), /positive sizes/],
    ["an odd head", () => changed(v1(), 20, 8), /even number of elements per head/],
    ["heads in unequal groups", () => changed(v1(), 24, 3), /equal groups/],
    ["a flag of 2", () => changed(v1(), 36, 2), /0 or 1 as shared-classifier flag, found 2/],
    ["a group size of 0", () => changed(v2(), 37, 0), /group size 0/],
    ["groups that split a weight", () => changed(v2(), 37, 3), /groups that divide every weight, found 3/],
  ])("%s", async (_, bytes, message) => {
    await expect(read(bytes())).rejects.toThrow(CheckpointError);
    await expect(readLlama2c(path)).rejects.toThrow(message);
    await expect(readLlama2c(path)).rejects.toThrow(path);
  });

  it("random headers", async () => {
    const rng = new Rng(3);
    for (let round = 0; round < 300; round++) {
      const bytes = round % 2 ? v2() : legacy();
      bytes[rng.below(round % 2 ? 41 : 28)] = rng.below(256);
      await read(bytes).catch((error) => expect(error).toBeInstanceOf(CheckpointError));
    }
  });

  it("a huge file of zeros without reading it", async () => {
    await writeFile(path, legacy());
    await truncate(path, 2 ** 40);
    await expect(readLlama2c(path)).rejects.toThrow(CheckpointError);
  });
});

describe.skipIf(!existsSync(data))("the real stories260K (skipped where shared/data is absent)", () => {
  const load = (name: string) => readLlama2c(join(data, name));

  it("has the author's sizes", async () => {
    const { config, tensors } = await load("stories260K.bin");
    expect(config).toMatchObject({ hidden_size: 64, intermediate_size: 172, num_hidden_layers: 5 });
    expect(config).toMatchObject({ num_attention_heads: 8, num_key_value_heads: 4, vocab_size: 512 });
    expect(config.tie_word_embeddings).toBe(true);
    expect([...tensors.values()].reduce((sum, { data }) => sum + data.length, 0)).toBe(260_032);
  });

  it("is the same in versions 0 and 1, bit for bit", async () => {
    expect(await load("stories260K-v1.bin")).toEqual(await load("stories260K.bin"));
  });

  it("is the same in version 2, within half an int8 step of each group", async () => {
    const exact = await load("stories260K.bin");
    const int8 = await load("stories260K-q8.bin");
    expect(int8.config).toEqual(exact.config);
    expect([...int8.tensors.keys()].sort()).toEqual([...exact.tensors.keys()].sort());
    const groupSize = (await readFile(join(data, "stories260K-q8.bin"))).readInt32LE(37);
    for (const [name, tensor] of exact.tensors) {
      // the groups lie within rows, so reordering rows keeps them
      const bound = name.includes("norm") ? 0 : 0.5001;
      expect(largestStep(tensor, int8.tensors.get(name)!, groupSize), name).toBeLessThanOrEqual(bound);
    }
  });
});

/** The largest difference in units of its group's int8 step, max |w| / 127. */
function largestStep(exact: HostTensor, rounded: HostTensor, groupSize: number): number {
  const [a, b] = [Array.from(exact.data, Number), Array.from(rounded.data, Number)];
  let largest = 0;
  for (let start = 0; start < a.length; start += groupSize) {
    const group = a.slice(start, start + groupSize);
    const step = group.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127;
    group.forEach((value, i) => {
      const error = Math.abs(value - b[start + i]!);
      if (error > 0) largest = Math.max(largest, error / step);
    });
  }
  return largest;
}
