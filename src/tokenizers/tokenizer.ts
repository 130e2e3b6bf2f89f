/** @file What every tokenizer offers. Offsets are UTF-16 code units, as JavaScript strings are indexed. */

/** Token ids with the span of source text each stands for. */
export interface Encoding {
  readonly ids: Int32Array;
  /**
   * Two numbers per token: start and end in the source string. A token that holds only part of a character's
   * bytes spans the whole character, so neighbouring spans may be equal. A space that the tokenizer put before
   * the text has no place in it: a token of nothing else has an empty span.
   */
  readonly offsets: Int32Array;
}

export interface EncodeOptions {
  /** Recognise special tokens (`<|endoftext|>`) written in the text. Default false: user text is only text. */
  readonly specialTokens?: boolean;
}

export interface DecodeOptions {
  /** Write special tokens out. Default false: they are marks for the model, not text. */
  readonly keepSpecialTokens?: boolean;
}

/** Ids that a model expects around one text, such as BOS. `encode` never adds them. */
export interface SequenceTemplate {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

/** One part of what a model expects when it is given two texts: ids, or the first or second text. */
export type TemplatePiece =
  | { readonly ids: readonly number[]; readonly typeId: number }
  | { readonly text: "first" | "second"; readonly typeId: number };

/** A lone surrogate in a text is read as U+FFFD, as UTF-8 has no bytes for it. */
export interface Tokenizer {
  /** Number of ids; every id is below it. */
  readonly vocabSize: number;
  /** Special tokens by content, with their ids. */
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly template: SequenceTemplate;
  /** What a model expects around two texts; undefined where the tokenizer does not say. */
  readonly pairTemplate: readonly TemplatePiece[] | undefined;
  encode(text: string, options?: EncodeOptions): Int32Array;
  encodeWithOffsets(text: string, options?: EncodeOptions): Encoding;
  /** Number of tokens that `encode(text.slice(start, end))` would give, without building them. */
  count(text: string, start?: number, end?: number): number;
  /**
   * Whether counts add up at `index`, whatever stands around it:
   * `count(text, a, index) + count(text, index, b) === count(text, a, b)` for all `a < index < b`. Looks only at the two
   * characters there, and says no where it cannot know.
   */
  addsUpAt(text: string, index: number): boolean;
  /**
   * The farthest place at or before `end` such that `text.slice(start, place)` has at most `maxTokens` tokens. It lies
   * between words (pretokens) unless the first word alone is too long, and never inside a character. `start` says
   * that not even one character fits.
   */
  truncate(text: string, start: number, end: number, maxTokens: number): number;
  /**
   * Text of `ids`. Broken byte sequences become U+FFFD.
   * @throws DataError on an id that is not in the vocabulary.
   */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  /**
   * Decodes token by token; never emits part of a character. To continue a prompt, push the prompt's ids first and
   * drop what they give: some tokenizers write no space before the first word of a text.
   */
  streamDecoder(options?: DecodeOptions): StreamDecoder;
  /** Encodes a text that comes in pieces. */
  streamEncoder(): StreamEncoder;
  /** Id of a token by its vocabulary entry, or undefined. */
  tokenId(token: string): number | undefined;
  /** Vocabulary entry of an id, or undefined. */
  token(id: number): string | undefined;
}

export interface StreamDecoder {
  /** The text that `id` completes; empty while a character is unfinished. */
  push(id: number): string;
  /** Text of what is left unfinished, with U+FFFD for broken bytes. */
  flush(): string;
}

/** Gives, piece by piece, the ids of `encode` for the whole text. */
export interface StreamEncoder {
  /**
   * The ids that are certain, whatever follows. The end of a text is held back to the last place where words surely part; a
   * tokenizer that sees the text as one word (Unigram without a pre-tokenizer) holds all of it back.
   */
  push(text: string): Int32Array;
  /** The ids of what was held back; another text may follow. */
  flush(): Int32Array;
}
