/** @file A model family of one's own: defined, trained, saved, loaded and generated from: `npx tsx examples/own-family.ts`. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "tessera-llm";
import { writeModel } from "tessera-llm/checkpoint";
import { Generator, Weights } from "tessera-llm/engine";
import { add, mul, relu } from "tessera-llm/graph";
import { decoder, defineFamily } from "tessera-llm/models";
import * as nn from "tessera-llm/nn";
import { Runtime } from "tessera-llm/runtime";
import { toTokenizerJson, trainByteLevelBpe } from "tessera-llm/tokenizers";
import { adamw, packDocuments, train } from "tessera-llm/train";
import { z } from "zod";

// The family: attention and a squared-ReLU network side by side, both reading one normalised copy, no matrix for the output.
const schema = z.looseObject({ model_type: z.literal("primer"), vocab_size: z.int(), width: z.int(), depth: z.int() });

const primer = defineFamily("primer", schema, (config) => {
  const { vocab_size: vocabSize, width: hiddenSize, depth } = config;
  const heads = { numHeads: hiddenSize / 16, numKvHeads: 1, headDim: 16 };
  const attention = nn.selfAttention({
    ...heads,
    hiddenSize,
    projections: nn.separateProjections("attention.", { ...heads, hiddenSize, bias: false, std: 0.1 }),
    output: "attention.out",
    outputBias: false,
    outputStd: 0.02,
    rotation: { cos: "cos", sin: "sin" },
  });
  const linear = (name: string, inFeatures: number, outFeatures: number, std: number) =>
    nn.linearParameters(name, { inFeatures, outFeatures, bias: false, init: { std } });
  const norm = nn.rmsNormOf("norm", { size: hiddenSize, epsilon: 1e-5 });
  const block: nn.LayerKind = {
    parameters: [
      ...norm.parameters,
      ...attention.parameters,
      ...linear("up", hiddenSize, 4 * hiddenSize, 0.1),
      ...linear("down", 4 * hiddenSize, hiddenSize, 0.02),
    ],
    build: (scope, x, context) => {
      const h = norm.forward(scope, x);
      const wide = relu(scope.linear("up").forward(h));
      return add(add(x, attention.forward(scope, h, context)), scope.linear("down").forward(mul(wide, wide)));
    },
  };
  return decoder({
    family: "primer",
    architecture: "PrimerForCausalLM",
    config,
    vocabSize,
    hiddenSize,
    maxPositions: 128,
    std: 0.1,
    names: { embedding: "embedding.weight", head: "head.weight" },
    isTied: true,
    layers: Array.from({ length: depth }, (_, i) => ({ kind: "block", prefix: `blocks.${i}.`, cache: heads })),
    kinds: { block },
    finalNorm: nn.rmsNormOf("final_norm", { size: hiddenSize, epsilon: 1e-5 }),
    tables: (length) => ({ ...nn.ropeTables(length, 16, 10_000) }),
    peftTargets: ["q_proj", "v_proj"],
    basePrefix: "",
  });
});

// From here on it is a family like any other.
const text = "a tessera is one tile of a mosaic; many tiles make a picture. ".repeat(40);
const tokenizer = trainByteLevelBpe([text], { vocabSize: 300 });
const model = primer({ model_type: "primer", vocab_size: tokenizer.vocabSize, width: 64, depth: 2 });
const parameters = nn.initialize(nn.parameterSpecs(model), 1);
const runtime = await Runtime.open({ numThreads: 1 });
const documents = { train: packDocuments([{ ids: tokenizer.encode(text) }], 32) };
const run = train({ runtime, model, parameters }, documents, {
  steps: 40,
  batchSize: 4,
  accumulate: 1,
  attentionTile: 32,
  lossTile: { rows: 128, vocabulary: tokenizer.vocabSize },
  save: "all",
  isTrainable: () => true,
  streamGradients: false,
  optimizer: adamw(),
  weightDecay: 0,
  schedule: { name: "cosine", peak: 5e-3, warmupSteps: 5, totalSteps: 40, finalShare: 0.1 },
  clipNorm: 1,
  seed: 1,
  evaluateEvery: 0,
  patience: null,
});
const losses: number[] = [];
for await (const event of run) if (event.type === "step") losses.push(event.loss);
console.log(`loss ${losses[0]?.toFixed(2)} → ${losses.at(-1)?.toFixed(2)}`);

const folder = join(await mkdtemp(join(tmpdir(), "own-family-")), "model");
const files = new Map([["tokenizer.json", new TextEncoder().encode(toTokenizerJson(tokenizer))]]);
await writeModel(folder, { config: JSON.parse(JSON.stringify(model.config)), tensors: parameters, files });
const loaded = await loadModel(folder, { families: { primer } });
const weights = new Weights(loaded.model, loaded.parameters, "int8");
const generator = await Generator.create(runtime, loaded.model, weights);
const ids: number[] = [];
for await (const id of generator.generate(loaded.tokenizer.encode("a tessera is"), { maxTokens: 12 })) ids.push(id);
console.log(`a tessera is${loaded.tokenizer.decode(Int32Array.from(ids))}`);
await runtime.close();
await rm(join(folder, ".."), { recursive: true });
