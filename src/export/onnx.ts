/** @file A model as an ONNX file that stock ONNX Runtime runs, and such a file run again. */

import { closeSync, openSync, readSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isFloat } from "../base/dtype.js";
import { asFloat32, type HostTensor, hostTensor, zeros } from "../base/host-tensor.js";
import { castFloats } from "../checkpoint/cast.js";
import type { Aval } from "../graph/index.js";
import type { LanguageModel, Parameters } from "../nn/index.js";
import { lower, type OnnxModel, readInitializers } from "../onnx/index.js";
import type { ForwardInput } from "../plan/index.js";
import type { Feeds, Runtime, Signature } from "../runtime/index.js";
import { HALF, MOST_INSIDE, withInitializers, writeOnnxFile } from "./onnx-file.js";
import { cacheSpecs, onnxGraph } from "./onnx-graph.js";

export interface OnnxOptions {
  /** Take and give keys and values of earlier tokens, for generation. Default true. */
  readonly cache?: boolean;
  /** Rows of the position tables. Default: the model's own, or as many as have the same tables (LongRoPE). */
  readonly contextLength?: number;
  /** Type of the weights in the file; they are computed with as float32. Default float32. */
  readonly dtype?: "float32" | "float16";
  /** Weights beyond this many bytes go to `<file>.data` beside the model. Default 1.9 GB, as protobuf ends at 2. */
  readonly mostInside?: number;
}

/**
 * Writes the model as one graph from ids to logits (see `onnxGraph`) with weights under the checkpoint's names.
 * @returns what the file takes and gives.
 */
export async function writeOnnx(
  path: string,
  model: LanguageModel,
  parameters: Parameters,
  options: OnnxOptions = {},
): Promise<Signature> {
  const {
    cache = true,
    contextLength = model.tablesChangeAfter ?? model.maxPositions,
    dtype = "float32",
    mostInside = MOST_INSIDE,
  } = options;
  const graph = onnxGraph(model, { cache, contextLength });
  const lowered = lower(graph);
  const tables = Object.entries(model.tables(contextLength)).map(([name, t]) => [`table.${name}`, t] as const);
  const weights = new Map(castFloats(parameters, dtype));
  const file = withInitializers(lowered, new Map([...tables, ...weights]));
  await writeOnnxFile(path, file, weights, mostInside);
  return signatureOf(graph, file);
}

function signatureOf(graph: Signature, { inputs }: OnnxModel): Signature {
  return {
    name: graph.name,
    inputs: Object.fromEntries(inputs.map(({ name, aval }): [string, Aval] => [name, aval])),
    outputs: Object.fromEntries(
      Object.entries(graph.outputs).map(([name, { dtype, shape }]): [string, Aval] => [name, { dtype, shape }]),
    ),
  };
}

/** Weights of a written file by the checkpoint's names, as float32. External ones are read one at a time: such a file is large. */
export async function readOnnxWeights(path: string): Promise<Map<string, HostTensor>> {
  const model = await readFile(path);
  let file: number | undefined;
  const read = (location: string, offset: number, length: number): Uint8Array => {
    file ??= openSync(join(dirname(path), location), "r");
    const bytes = new Uint8Array(length);
    const count = readSync(file, bytes, 0, length, offset);
    return bytes.subarray(0, count);
  };
  try {
    const floats = [...readInitializers(model, read)].filter(([, { dtype }]) => isFloat(dtype));
    return new Map(
      floats.map(([name, t]) => [name.replace(HALF, ""), hostTensor("float32", t.shape, asFloat32(t))] as const),
    );
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Logits [B, T, V] that a written file gives, computed from its bytes alone; with a cache, in two pieces. */
export async function runOnnx(
  runtime: Runtime,
  path: string,
  model: LanguageModel,
  signature: Signature,
  { ids, mask }: ForwardInput,
): Promise<HostTensor> {
  const program = await runtime.load(await readFile(path), signature, dirname(path));
  const [batch, time] = [ids.length, ids[0]!.length];
  const hasCache = Object.keys(signature.outputs).length > 1;
  const half = hasCache ? Math.ceil(time / 2) : time;
  const logits = zeros("float32", [batch, time, model.vocabSize]);
  let cache: Feeds = hasCache ? emptyCache(model, batch) : {};
  for (const [start, end] of half < time ? [[0, half] as const, [half, time] as const] : [[0, time] as const]) {
    const outputs = await program.run({
      input_ids: int64(ids.map((row) => Array.from(row).slice(start, end))),
      attention_mask: int64(
        ids.map((row, i) => Array.from(mask?.[i] ?? { length: row.length }, (m) => m ?? 1).slice(0, end)),
      ),
      ...cache,
    });
    cache = Object.fromEntries(
      Object.entries(outputs)
        .filter(([name]) => name !== "logits")
        .map(([name, tensor]) => [name.replace("present", "past_key_values"), tensor]),
    );
    for (let row = 0; row < batch; row++) {
      const width = (end - start) * model.vocabSize;
      const part = (outputs.logits!.data as Float32Array).subarray(row * width, (row + 1) * width);
      (logits.data as Float32Array).set(part, (row * time + start) * model.vocabSize);
    }
  }
  await program.close();
  return logits;
}

function emptyCache(model: LanguageModel, batch: number): Feeds {
  return Object.fromEntries(
    cacheSpecs(model).flatMap(({ numKvHeads, headDim }, i) =>
      ["key", "value"].map((name) => [
        `past_key_values.${i}.${name}`,
        zeros("float32", [batch, numKvHeads, 0, headDim]),
      ]),
    ),
  );
}

function int64(rows: readonly (readonly number[])[]): HostTensor {
  const data = BigInt64Array.from(rows.flat(), (value) => BigInt(value));
  return hostTensor("int64", [rows.length, rows[0]!.length], data);
}
