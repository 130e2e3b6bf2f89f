/** @file Tiny models to serve: one with random weights, and one whose weights make it write a given text. */

import type { HostTensor } from "../../src/base/host-tensor.js";
import { llama } from "../../src/models/index.js";
import { initialize, parameterSpecs } from "../../src/nn/index.js";
import type { LoadedModel } from "../../src/presets/index.js";
import {
  type JsonTokenizer,
  tokenizerFromJson,
  toTokenizerJson,
  trainByteLevelBpe,
} from "../../src/tokenizers/index.js";

/** ChatML with tools as Hermes' models have them. */
export const chatTemplate = `{%- if tools %}<|im_start|>system
Call functions in <tool_call></tool_call>: {% for tool in tools %}{{ tool | tojson }}{% endfor %}<|im_end|>
{% endif -%}
{%- for m in messages %}<|im_start|>{{ m.role }}
{{ m.content or '' }}{% for call in m.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

const words =
  "You are helpful. What is the weather in Paris? system user assistant tool function. Hello, how are you? ";

/** A byte-level tokenizer trained here, with tokens of its own for `pieces`. */
function tokenizerWith(pieces: readonly string[], special: readonly string[] = []): JsonTokenizer {
  const trained = trainByteLevelBpe([words, words], {
    vocabSize: 300 + special.length,
    specialTokens: ["<|endoftext|>", "<|im_start|>", "<|im_end|>", ...special],
  });
  const json = JSON.parse(toTokenizerJson(trained)) as { added_tokens: object[] };
  const unknown = pieces.filter((piece) => trained.encode(piece).length > 1);
  const added = unknown.map((content, i) => ({
    id: trained.vocabSize + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: false,
  }));
  return tokenizerFromJson(JSON.stringify({ ...json, added_tokens: [...json.added_tokens, ...added] }));
}

function served(tokenizer: JsonTokenizer, contextLength: number, template: string | undefined): LoadedModel {
  const config = {
    model_type: "llama" as const,
    vocab_size: tokenizer.vocabSize,
    hidden_size: 64,
    intermediate_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    tie_word_embeddings: false,
    max_position_embeddings: contextLength,
    initializer_range: 0.3,
    bos_token_id: tokenizer.tokenId("<|endoftext|>")!,
    eos_token_id: tokenizer.tokenId("<|endoftext|>")!,
  };
  const model = llama(config);
  const tokenizerConfig = JSON.stringify({ chat_template: template, eos_token: "<|im_end|>" });
  return {
    model,
    parameters: initialize(parameterSpecs(model), 1),
    tokenizer,
    tokenizerFiles: new Map([["tokenizer_config.json", new TextEncoder().encode(tokenizerConfig)]]),
    config,
    families: {},
  };
}

/** A Llama with random weights: its text means nothing and does not end by itself. */
export function randomModel({
  contextLength = 512,
  template = chatTemplate as string | undefined,
  special = [] as readonly string[],
} = {}): LoadedModel {
  return served(tokenizerWith([], special), contextLength, template);
}

/**
 * A Llama that looks only at the last token and writes, after each piece of a script, the next one; after the last piece of a
 * script, unless it goes on elsewhere, it ends its turn. A script that begins with a line break is an answer.
 */
export function scriptedModel(
  scripts: readonly (readonly string[])[],
  contextLength = 512,
  { template = chatTemplate, special = [] as readonly string[] } = {},
): LoadedModel {
  const pieces = scripts.flat().filter((piece) => !special.includes(piece));
  const tokenizer = tokenizerWith([...new Set(pieces)], special);
  const loaded = served(tokenizer, contextLength, template);
  const end = tokenizer.tokenId("<|im_end|>")!;
  const next = new Map<number, number>();
  for (const script of scripts) {
    const ids = script.map((piece) => tokenizer.encode(piece, { specialTokens: true })[0]!);
    ids.slice(0, -1).forEach((id, i) => {
      next.set(id, ids[i + 1]!);
    });
    if (!next.has(ids.at(-1)!)) next.set(ids.at(-1)!, end);
  }
  // nothing but the last token's embedding reaches the head
  for (const [name, { data }] of loaded.parameters) if (/o_proj|down_proj/.test(name)) (data as Float32Array).fill(0);
  const embedding = loaded.parameters.get(loaded.model.embedding.name)!;
  const head = loaded.parameters.get(loaded.model.head.weight.name)!;
  (head.data as Float32Array).fill(0);
  for (const [from, to] of next) addRow(head, to, embedding, from);
  return loaded;
}

function addRow(target: HostTensor, row: number, source: HostTensor, from: number): void {
  const width = source.shape[1]!;
  const [sum, added] = [target.data as Float32Array, source.data as Float32Array];
  for (let i = 0; i < width; i++) sum[row * width + i]! += added[from * width + i]!;
}
