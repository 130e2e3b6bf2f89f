/** @file How a checkpoint's makers mean text to be generated: generation_config.json. */

import { z } from "zod";
import { parseJsonAs } from "../checkpoint/json.js";

export interface GenerationConfig {
  /** For requests that say nothing of it; 0 as temperature takes the likeliest token. */
  readonly sampling: {
    readonly temperature?: number;
    readonly topK?: number;
    readonly topP?: number;
    readonly minP?: number;
    readonly repetitionPenalty?: number;
  };
  /** Ids that end a text. */
  readonly endIds: readonly number[];
  /** Settings that would change texts and are not followed. */
  readonly unfollowed: readonly string[];
}

const id = z.int().min(0);

const schema = z.looseObject({
  do_sample: z.boolean().nullish(),
  temperature: z.number().min(0).nullish(),
  top_k: z.int().min(0).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().gt(0).nullish(),
  eos_token_id: z.union([id, z.array(id)], { error: "expected a token id or a list of them" }).nullish(),
});

/** Settings that choose no token: of ids, lengths (which requests give), memory and output of Hugging Face's library. */
const inert = new Set(
  "_from_model_config bos_token_id pad_token_id decoder_start_token_id max_length max_new_tokens transformers_version use_cache cache_implementation cache_config prefill_chunk_size return_dict_in_generate output_attentions output_hidden_states output_scores output_logits".split(
    " ",
  ),
);

/**
 * Only what the file says counts, and none of its library's defaults, as in vLLM; `do_sample: false` is temperature 0.
 * @param files of a model folder, by name.
 * @throws CheckpointError for a file that is no JSON object of this kind, naming what is wrong.
 */
export function generationConfigOf(files: ReadonlyMap<string, Uint8Array>): GenerationConfig {
  const name = "generation_config.json";
  const bytes = files.get(name);
  if (!bytes) return { sampling: {}, endIds: [], unfollowed: [] };
  const { do_sample, temperature, top_k, top_p, min_p, repetition_penalty, eos_token_id, ...others } = parseJsonAs(
    bytes,
    schema,
    name,
  );
  const heat = do_sample === false ? 0 : temperature;
  return {
    sampling: {
      ...(typeof heat === "number" && { temperature: heat }),
      // 0 stands for all
      ...(top_k && { topK: top_k }),
      ...(typeof top_p === "number" && { topP: top_p }),
      ...(typeof min_p === "number" && { minP: min_p }),
      ...(typeof repetition_penalty === "number" && { repetitionPenalty: repetition_penalty }),
    },
    endIds: typeof eos_token_id === "number" ? [eos_token_id] : (eos_token_id ?? []),
    unfollowed: Object.keys(others).filter((key) => !inert.has(key) && !isNeutral(others[key])),
  };
}

/** Values with which the library's settings do nothing. */
function isNeutral(value: unknown): boolean {
  const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return value === null || value === false || value === 0 || value === 1 || value === "" || isEmpty;
}
