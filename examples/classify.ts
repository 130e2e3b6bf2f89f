/** @file A classifier of sentences and their embeddings: trained, saved, loaded: `npx tsx examples/classify.ts`. */

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deriveSeed, Rng } from "tessera-llm/base";
import { writeModel } from "tessera-llm/checkpoint";
import { encoders, pickParameters } from "tessera-llm/models";
import { encoderParameters, initialize } from "tessera-llm/nn";
import { predict } from "tessera-llm/plan";
import { embedTexts, loadEncoder } from "tessera-llm/presets";
import { Runtime } from "tessera-llm/runtime";
import { JsonTokenizer, toTokenizerJson, trainWordPiece } from "tessera-llm/tokenizers";
import { adamw, labellingTask, padRows, trainStages } from "tessera-llm/train";

interface Sentence {
  readonly text: string;
  readonly label: "negative" | "positive";
  readonly split: "train" | "heldOut";
}
const path = new URL("../test/golden/sentiment/sentences.json", import.meta.url);
const sentences: readonly Sentence[] = JSON.parse(readFileSync(path, "utf8"));
const training = sentences.filter(({ split }) => split === "train");
const heldOut = sentences.filter(({ split }) => split === "heldOut");

// A vocabulary of the training sentences, and a small BERT with a class per sentence.
const tokenizer = new JsonTokenizer(
  await trainWordPiece(
    training.map(({ text }) => text),
    { vocabSize: 300 },
  ),
);
const labels = ["negative", "positive"] as const;
const time = 32;
const { encoder, head: headOf } = encoders.bert({
  model_type: "bert",
  architectures: ["BertForSequenceClassification"],
  vocab_size: tokenizer.vocabSize,
  hidden_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 96,
  max_position_embeddings: time,
  initializer_range: 0.1,
  id2label: { ...labels },
});
const head = headOf("sequence-classification");
const parameters = initialize([...encoderParameters(encoder), ...head.parameters], 1);
const runtime = await Runtime.open({ numThreads: 1 });

const { prefix, suffix } = tokenizer.template;
const idsOf = (text: string): number[] => [...prefix, ...tokenizer.encode(text), ...suffix];
const padded = (texts: readonly string[]) => padRows(texts.map(idsOf), time, 0);
const chosen = (logits: ArrayLike<number | bigint>, row: number) =>
  labels[Number(Number(logits[2 * row + 1]) > Number(logits[2 * row]))]!;

/** Share of held-out sentences whose label is found. */
async function accuracy(): Promise<number> {
  const { data } = await predict(runtime, encoder, head, parameters, padded(heldOut.map(({ text }) => text)));
  return heldOut.filter(({ label }, i) => chosen(data, i) === label).length / heldOut.length;
}

// Fine-tuning: 150 steps of 16 sentences each.
const steps = 150;
const task = labellingTask(encoder, head, { batch: 16, time });
const examples = training.map(({ text, label }) => ({ ids: idsOf(text), labels: [labels.indexOf(label)] }));
const batch = (index: number) => {
  const rng = new Rng(deriveSeed(1, `batch ${index}`));
  return task.feeds(Array.from({ length: 16 }, () => examples[rng.below(examples.length)]!));
};
const run = trainStages(
  { runtime, stages: task.stages, parameters },
  { batch, evaluate: accuracy },
  {
    steps,
    optimizer: adamw(),
    weightDecay: 0.01,
    schedule: { name: "linear", peak: 1e-3, warmupSteps: 10, totalSteps: steps, finalShare: 0.05 },
    clipNorm: 1,
    seed: 1,
    evaluateEvery: 50,
  },
);
for await (const event of run) {
  if (event.type === "evaluation") console.log(`step ${event.step}: ${(100 * event.value).toFixed(1)} % of held-out`);
}

// In Hugging Face's layout on disk, and back.
const folder = await mkdtemp(join(tmpdir(), "classify-"));
const files = new Map([["tokenizer.json", new TextEncoder().encode(toTokenizerJson(tokenizer))]]);
const config = JSON.parse(JSON.stringify(encoder.config));
await writeModel(join(folder, "model"), { config, tensors: parameters, files });
const loaded = await loadEncoder(join(folder, "model"));
await rm(folder, { recursive: true });

const reviews = ["The concert was wonderful and the band was friendly.", "A rude driver and a dirty bus."];
const classifier = loaded.head("sequence-classification");
const all = new Map([...loaded.parameters, ...pickParameters(classifier.parameters, loaded.tensors)]);
const logits = await predict(runtime, loaded.encoder, classifier, all, padded(reviews));
for (const [i, review] of reviews.entries()) console.log(`${chosen(logits.data, i)}: ${review}`);

// Embeddings: of unit length, so that products are cosines.
const texts = training.map(({ text }) => text);
const [query, ...vectors] = await embedTexts(runtime, loaded, [reviews[0]!, ...texts]);
const cosines = vectors.map((vector) => vector.reduce((sum, value, i) => sum + value * query![i]!, 0));
const best = cosines.indexOf(Math.max(...cosines));
console.log(`nearest to the first: ${texts[best]} (cosine ${cosines[best]!.toFixed(2)})`);
await runtime.close();
