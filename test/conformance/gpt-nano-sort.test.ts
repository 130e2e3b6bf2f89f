/** @file minGPT's sorting model (llm-viz's "gpt-nano") in the gpt2 family: 25 intermediate tensors, 729 sorted inputs. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HostTensor, hostTensor, zeros } from "../../src/base/host-tensor.js";
import { Generator, Weights } from "../../src/engine/index.js";
import {
  constant,
  interpret,
  matmul,
  type Reference,
  reshape,
  softmax,
  type Tensor,
  transpose,
  where,
} from "../../src/graph/index.js";
import { type Node, topologicalOrder } from "../../src/graph/tensor.js";
import { modelFromConfig } from "../../src/models/index.js";
import { type LanguageModel, parameterSpecs, scopeOf } from "../../src/nn/index.js";
import { forward } from "../../src/plan/index.js";
import { Runtime } from "../../src/runtime/index.js";

const folder = fileURLToPath(new URL("../../../shared/data/llm-gpt-nano-sort/", import.meta.url));
const hasModel = existsSync(`${folder}gpt-nano-sort-model.json`);

type Stored = Record<string, { readonly shape: readonly number[]; readonly data: string }>;

const read = (name: string): Stored => JSON.parse(readFileSync(folder + name, "utf8")) as Stored;

function decoded({ shape, data }: Stored[string]): HostTensor {
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  // the files pad what they hold to whole groups
  const count = shape.reduce((a, b) => a * b, 1);
  return hostTensor("float32", shape, new Float32Array(bytes.buffer, 0, count));
}

/** nn.Linear's [out, in] → Conv1D's [in, out]. */
function turned({ shape: [rows, columns], data }: HostTensor): HostTensor {
  const out = zeros("float32", [columns!, rows!]);
  for (let i = 0; i < data.length; i++) out.data[(i % columns!) * rows! + Math.floor(i / columns!)] = data[i]!;
  return out;
}

const CONFIG = {
  model_type: "gpt2",
  n_layer: 3,
  n_head: 3,
  n_embd: 48,
  vocab_size: 3,
  n_positions: 11,
  tie_word_embeddings: false,
};

function load(): { model: LanguageModel; parameters: Map<string, HostTensor> } {
  const stored = read("gpt-nano-sort-model.json");
  const model = modelFromConfig(CONFIG);
  const parameters = parameterSpecs(model).map(({ name, matrix }) => {
    const tensor = decoded(stored[name]!);
    return [name, matrix === "transposed" ? turned(tensor) : tensor] as const;
  });
  return { model, parameters: new Map(parameters) };
}

function worst(actual: ArrayLike<number | bigint>, expected: ArrayLike<number | bigint>): number {
  let largest = actual.length === expected.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < expected.length; i++) {
    // masked scores are minus infinity in both
    const [a, e] = [Number(actual[i]), Number(expected[i])];
    if (a !== e) largest = Math.max(largest, Math.abs(a - e));
  }
  return largest;
}

/** What happens in a layer that reads x, by the names of the recording, in float64. */
function insideLayer(
  model: LanguageModel,
  parameters: ReadonlyMap<string, HostTensor>,
  x: HostTensor,
  index: number,
): Record<string, Reference> {
  const [batch, time] = x.shape as [number, number];
  const { kind, prefix } = model.layers[index + 1]!; // after the stem
  const { parameters: specs, build } = model.kinds[kind]!;
  const local = Object.fromEntries(specs.map(({ name }) => [name, constant(parameters.get(prefix + name)!)]));
  const values: Record<string, Tensor> = {};
  const output = build(scopeOf(local, specs), constant(x), {
    positions: constant(hostTensor("int64", [1, 1], BigInt64Array.of(0n))),
    tables: {},
    dropout: (h) => h,
    attend: ({ q, k, v, numHeads, headDim, scale }) => {
      const heads = (h: Tensor): Tensor => transpose(reshape(h, [batch, time, numHeads, headDim]), [0, 2, 1, 3]);
      const hidden = Uint8Array.from({ length: time * time }, (_, i) => Number(i % time <= Math.floor(i / time)));
      const never = constant(hostTensor("float32", [], Float32Array.of(Number.NEGATIVE_INFINITY)));
      const scores = matmul(heads(q), heads(k), { transB: true, scale });
      const att = where(constant(hostTensor("bool", [time, time], hidden)), scores, never);
      const attSm = softmax(att);
      const y = reshape(transpose(matmul(attSm, heads(v)), [0, 2, 1, 3]), [batch, time, numHeads * headDim]);
      Object.assign(values, { q: heads(q), k: heads(k), v: heads(v), att, attSm, y });
      return y;
    },
  });
  const nodes = topologicalOrder([output]);
  const of = (op: string): Node[] => nodes.filter((node) => node.op.name === op);
  const [ln1, ln2] = of("layer_norm").map((node) => node.outputs[0]!);
  const gelu = of("gelu")[0]!;
  const [attnResid, mlp] = [nodes.find((node) => node.outputs[0] === output)!.inputs[0]!, output.node.inputs[1]!];
  const qkv = of("slice")[0]!.inputs[0]!;
  const yProj = attnResid.node.inputs[1]!;
  Object.assign(values, { ln1, ln2, qkv, yProj, attnResid, mlp, mlpResid: output });
  Object.assign(values, { fc: gelu.inputs[0], gelu: gelu.outputs[0] });
  const computed = interpret(Object.values(values), new Map<Tensor, Reference>());
  return Object.fromEntries(Object.keys(values).map((name, i) => [name, computed[i]!] as const));
}

describe.skipIf(!hasModel)("gpt-nano-sort (skipped where ../shared/data/llm-gpt-nano-sort is absent)", () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await Runtime.open({ numThreads: 1 });
  });
  afterAll(() => runtime.close());

  it("computes the recorded intermediate tensors", async () => {
    const { model, parameters } = load();
    const recorded = Object.fromEntries(
      Object.entries(read("gpt-nano-sort-t0-partials.json"))
        .filter(([name]) => name !== "config")
        .map(([name, tensor]) => [name, decoded(tensor)]),
    );
    expect(Object.keys(recorded).length).toBe(25);
    const [batch, time] = recorded.idx!.shape as [number, number];
    const ids = Array.from({ length: batch }, (_, i) =>
      Int32Array.from((recorded.idx!.data as Float32Array).subarray(i * time, (i + 1) * time)),
    );
    const result = await forward(runtime, model, parameters, { ids }, { inner: true });
    const [x, block0, block1, normalized] = result.hiddenStates!;
    const table = parameters.get("transformer.wte.weight")!.data;
    const [logits] = interpret([softmax(constant(result.logits))], new Map());
    const found: Record<string, { readonly data: ArrayLike<number | bigint> }> = {
      idx: { data: ids.flatMap((row) => [...row]) },
      tok_emb: { data: ids.flatMap((row) => [...row].flatMap((id) => [...table.slice(id * 48, (id + 1) * 48)])) },
      pos_emb: parameters.get("transformer.wpe.weight")!,
      ...insideLayer(model, parameters, recorded.x!, 0),
      block2: insideLayer(model, parameters, block1!, 2).mlpResid!,
      x: x!,
      block0: block0!,
      block1: block1!,
      ln_f: normalized!,
      lm_head: result.logits,
      probs: logits!,
    };
    expect(Object.keys(recorded).filter((name) => !(name in found))).toEqual([]);
    for (const [name, { data }] of Object.entries(found)) {
      expect(worst(data as ArrayLike<number>, recorded[name]!.data as Float32Array), name).toBeLessThan(1e-4);
    }
  });

  it("sorts all 729 inputs", async () => {
    const { model, parameters } = load();
    const generator = await Generator.create(runtime, model, new Weights(model, parameters, "float32"));
    let sorted = 0;
    for (let code = 0; code < 729; code++) {
      const digits = Int32Array.from({ length: 6 }, (_, i) => Math.floor(code / 3 ** i) % 3);
      const out: number[] = [];
      for await (const id of generator.generate(digits, { maxTokens: 6 })) out.push(id);
      if (`${out}` === `${digits.toSorted()}`) sorted++;
    }
    expect(sorted).toBe(729);
  });
});
