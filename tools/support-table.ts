/**
 * @file Writes docs/support.md from the registries and the figures that the golden tests measure:
 * `npx tsx tools/support-table.ts`.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { architectures } from "../src/checkpoint/gguf/architectures/index.js";
import { ggmlTypes } from "../src/checkpoint/index.js";
import { type Exporter, exporters } from "../src/export/index.js";
import { encoderDecoders, encoders, families } from "../src/models/index.js";
import { ropeScalings } from "../src/nn/index.js";
import {
  decoderTypes,
  ggufPretokenizers,
  ggufTokenizers,
  normalizerTypes,
  pretokenizerTypes,
  tokenizerModels,
} from "../src/tokenizers/index.js";

interface Measured {
  readonly name: string;
  readonly logits?: number;
  readonly hidden?: number;
  readonly cached?: number;
  readonly gradients?: number;
  readonly gradient?: number;
}

/** Figures of every golden case, by its name. */
function measured(): Map<string, Measured> {
  const file = join(mkdtempSync(join(tmpdir(), "tessera-support-")), "measured.jsonl");
  const suites = ["families", "encoders", "encoder-decoders"].map((name) => `test/conformance/${name}.test.ts`);
  const env = { ...process.env, TESSERA_MEASURED: file };
  execFileSync("npx", ["vitest", "run", ...suites], { env, stdio: ["ignore", "ignore", "inherit"] });
  const cases = new Map<string, Measured>();
  for (const line of readFileSync(file, "utf8").trim().split("\n")) {
    const figures = JSON.parse(line) as Measured;
    cases.set(figures.name, { ...cases.get(figures.name), ...figures });
  }
  return cases;
}

const shown = (value: number | undefined): string => (value === undefined ? "" : value.toExponential(1));

function row({ name, logits, hidden, cached, gradient, gradients = gradient }: Measured): string {
  return `| ${name} | ${[logits ?? hidden, cached, gradients].map(shown).join(" | ")} |`;
}

const list = (registry: object): string =>
  Object.keys(registry)
    .map((key) => `\`${key}\``)
    .join(", ");

const cases = [...measured().values()].sort((a, b) => a.name.localeCompare(b.name));
const formats = Object.values(exporters).map(
  ({ name, about, dtypes }: Exporter) => `| \`${name}\` | ${about} | ${list(dtypes)} |`,
);
writeFileSync(
  new URL("../docs/support.md", import.meta.url),
  `# What is supported

Written by \`npx tsx tools/support-table.ts\` from the registries and the golden tests.

## Models

\`model_type\` of a config.json. Decoders: ${list(families)}. Encoders: ${list(encoders)}. Encoder-decoders: ${list(encoderDecoders)}. One's own: \`defineFamily\` ([an example of 30 lines](../examples/own-family.ts)).

RoPE: ${list(ropeScalings)}.

Tiny random checkpoints made by transformers (\`tools/golden\`), batches with padding on both sides, float32: largest absolute difference of logits (hidden states where there are none), of logits with a cache, and of gradients relative to the largest.

| case | logits | with a cache | gradients |
| --- | --- | --- | --- |
${cases.map(row).join("\n")}

## Files

Read: safetensors (one file or shards), GGUF, llama2.c. GGUF architectures: ${list(architectures)}; types: ${list(ggmlTypes)}.

| \`tessera export --to\` | what it writes | \`--dtype\` |
| --- | --- | --- |
${formats.join("\n")}

## Tokenizers

tokenizer.json: models ${list(tokenizerModels)}; normalisers ${list(normalizerTypes)}; pre-tokenizers ${list(pretokenizerTypes)}; decoders ${list(decoderTypes)}. SentencePiece \`.model\` (BPE, Unigram, word, character), \`vocab.txt\`, \`vocab.json\` with \`merges.txt\`, llama2.c's \`tokenizer.bin\`. GGUF: ${list(ggufTokenizers)}, with the byte-level cuts ${list(ggufPretokenizers)}.
`,
);
