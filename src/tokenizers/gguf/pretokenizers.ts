/**
 * @file How byte-level vocabularies in GGUF cut texts, by `tokenizer.ggml.pre`: the regular expressions of the models'
 * own tokenizer.json files, one cut after the other (names as in llama.cpp, src/llama-vocab.cpp).
 */

import { UnsupportedError } from "../../base/errors.js";
import { cl100kPattern } from "../pretokenizers/cl100k.js";
import { gpt2Pattern } from "../pretokenizers/gpt2.js";

export interface GgufPretokenizer {
  readonly patterns: readonly string[];
  /** A word that is a token is that token, whatever the merges say. */
  readonly ignoresMerges?: boolean;
  /** A text begins with BOS where the file does not say. */
  readonly addsBos?: boolean;
  /** Texts are brought to NFC. */
  readonly composes?: boolean;
}

const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const upper = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const lower = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const lead = "[^\\r\\n\\p{L}\\p{N}]?";
const spaces = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Words of one case or capitalised, with what `after` says may follow, and numbers as `digits` says. */
function casedPattern(after: string, digits: string): string {
  return `${lead}${upper}*${lower}+${after}|${lead}${upper}+${lower}*${after}|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${spaces}`;
}

const gpt2: GgufPretokenizer = { patterns: [gpt2Pattern] };
const digitsApart: GgufPretokenizer = { patterns: ["\\p{N}", gpt2Pattern] };
const llama3: GgufPretokenizer = { patterns: [cl100kPattern(3)], ignoresMerges: true, addsBos: true };
const cl100k: GgufPretokenizer = { patterns: [cl100kPattern(3)] };
const singleDigits: GgufPretokenizer = { patterns: [cl100kPattern(1)] };
const qwen2: GgufPretokenizer = { patterns: [cl100kPattern(1)], composes: true };
const gpt4o: GgufPretokenizer = { patterns: [casedPattern(`${contraction}?`, "\\p{N}{1,3}")] };
const bloomPattern = " ?[^(\\s|.,!?…。，、।۔،)]+";
const bloom: GgufPretokenizer = { patterns: [bloomPattern] };
const deepseek3: GgufPretokenizer = {
  patterns: [
    "\\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    `[!"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|${spaces}`,
  ],
};
const bailing: GgufPretokenizer = {
  patterns: [
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
  ],
};
/** Letters that have case, and a few kin, as DeepSeek's file lists them. */
const deepseekLetters =
  "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿ\u0386\u0388-\u038aΌ\u038e-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}\u{1e900}-\u{1e943}";
const cjk = "[一-龥ࠀ-一가-퟿]+";

/** By name. */
export const ggufPretokenizers: Readonly<Record<string, GgufPretokenizer>> = {
  "a.x-4.0": gpt2,
  bailingmoe: bailing,
  bailingmoe2: bailing,
  bloom,
  "chatglm-bpe": cl100k,
  codeshell: digitsApart,
  cohere2moe: { patterns: ["\\d{1,3}(?=(?:\\d{3})*\\b)", casedPattern(`${contraction}?`, "\\p{N}{1,3}")] },
  "command-r": { ...digitsApart, composes: true },
  dbrx: cl100k,
  "deepseek-coder": { patterns: ["[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", cjk, "\\p{N}"] },
  "deepseek-llm": {
    patterns: ["[\\r\\n]", `\\s?[${deepseekLetters}]+`, "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$", cjk, "\\p{N}+"],
  },
  "deepseek-r1-qwen": qwen2,
  "deepseek-v3": deepseek3,
  default: { patterns: ["[\\p{P}\\$\\+<=>\\^~\\|]+", gpt2Pattern, "\\p{N}+", "[0-9][0-9][0-9]"] },
  exaone: digitsApart,
  exaone4: gpt2,
  falcon: { patterns: ["[\\p{P}\\$\\+<=>\\^~\\|`]+", gpt2Pattern, "[0-9][0-9][0-9]"] },
  "falcon-h1": llama3,
  falcon3: llama3,
  gigachat: gpt2,
  glm4: cl100k,
  "gpt-2": gpt2,
  "gpt-4o": gpt4o,
  "gpt3-finnish": bloom,
  "granite-docling": gpt2,
  "grok-2": singleDigits,
  hunyuan: singleDigits,
  "hunyuan-dense": deepseek3,
  jais: gpt2,
  "jina-de": gpt2,
  "jina-es": gpt2,
  "jina-v1-en": gpt2,
  "jina-v2-code": gpt2,
  "jina-v2-de": gpt2,
  "jina-v2-es": gpt2,
  "joyai-llm": deepseek3,
  kanana2: gpt4o,
  lfm2: llama3,
  "llada-moe": bailing,
  "llama-bpe": llama3,
  "llama-v3": llama3,
  llama3,
  llama4: gpt4o,
  megrez: singleDigits,
  mellum: gpt2,
  "midm-2.0": llama3,
  "minerva-7b": digitsApart,
  "minimax-m2": gpt4o,
  "modern-bert": gpt2,
  mpt: gpt2,
  olmo: gpt2,
  "phi-2": gpt2,
  pixtral: llama3,
  "poro-chat": bloom,
  qwen2,
  qwen35: {
    patterns: [`${contraction}|${lead}[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${spaces}`],
    composes: true,
  },
  refact: digitsApart,
  "roberta-bpe": gpt2,
  "seed-coder": {
    patterns: [`${contraction}|${lead}\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|${spaces}`],
  },
  "smaug-bpe": cl100k,
  smollm: digitsApart,
  "solar-open": singleDigits,
  stablelm2: singleDigits,
  starcoder: digitsApart,
  tekken: { patterns: [casedPattern("", "\\p{N}")], ignoresMerges: true, addsBos: true },
  tiny_aya: { patterns: ["\\d{1,3}(?=(?:\\d{3})*\\b)", casedPattern(`${contraction}?`, "\\p{N}{1,3}")] },
  trillion: gpt2,
  viking: { patterns: [bloomPattern, "\\p{N}"] },
};

/** @throws UnsupportedError on a name that is not known, or none. */
export function ggufPretokenizer(name: string | undefined): GgufPretokenizer {
  const found = Object.entries(ggufPretokenizers).find(([known]) => known === name)?.[1];
  if (found !== undefined) return found;
  const known = Object.keys(ggufPretokenizers).join(", ");
  throw new UnsupportedError(
    name === undefined
      ? "GGUF: tokenizer.ggml.pre is missing, so that nobody knows how to cut texts; convert the model with a current llama.cpp"
      : `GGUF: tokenizer.ggml.pre ${name} is not supported; known are ${known}`,
  );
}
