/** @file Makes a character-level tokenizer: one token per character, and bytes for characters that training did not meet. */

import { codePointAt, utf16Width } from "../algorithms/utf8.js";
import type { TokenizerFile } from "../formats/format.js";
import { type AlphabetOptions, chooseAlphabet } from "./alphabet.js";
import { cutterOf, trainingNormalizers } from "./cutting.js";
import { bpeModel, byteTokens, checkSpecialTokens, tokenizerFile } from "./tokenizer-file.js";
import type { TrainingOptions, TrainingTexts } from "./training.js";
import type { WordCutter } from "./word-counts.js";
import { countWords } from "./word-counts.js";

export interface CharacterLevelTrainingOptions
  extends AlphabetOptions,
    Pick<TrainingOptions, "specialTokens" | "onProgress"> {
  /** Default none, which gives every text back as it was. */
  readonly normalizer?: keyof typeof trainingNormalizers;
}

/**
 * The tokenizer.json of a character-level tokenizer: special tokens (default none), 256 bytes, characters by code
 * point. Nothing is out of vocabulary. It is BPE without merges, as that model has a byte fallback.
 */
export async function trainCharacterLevel(
  texts: TrainingTexts,
  options: CharacterLevelTrainingOptions = {},
): Promise<TokenizerFile> {
  const { specialTokens = [], onProgress } = options;
  checkSpecialTokens("character-level", specialTokens, []);
  const normalizer = trainingNormalizers[options.normalizer ?? "none"];
  const { normalize } = cutterOf(normalizer, null);
  const cutter = { normalize, pretokenizer: eachCharacter };
  const characters = chooseAlphabet("character-level", await countWords(texts, cutter, onProgress), options);
  return tokenizerFile(
    {
      normalizer,
      decoder: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Fuse" }] },
      model: bpeModel({
        tokens: [...specialTokens, ...byteTokens, ...characters],
        merges: [],
        unkToken: null,
        byteFallback: true,
      }),
    },
    specialTokens,
  );
}

const eachCharacter: WordCutter["pretokenizer"] = {
  scan(text, start, end, visit) {
    for (let at = start; at < end; ) {
      const next = at + utf16Width(codePointAt(text, at, end));
      if (!visit(at, next)) return false;
      at = next;
    }
    return true;
  },
};
