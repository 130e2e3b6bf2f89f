/** @file A tokenizer put together from its parts: added tokens, normaliser, pre-tokenizer and model. */

import { ConfigError, DataError } from "../base/errors.js";
import { type AddedToken, TokenMatcher } from "./added-tokens.js";
import { ByteBuffer } from "./algorithms/byte-buffer.js";
import type { Normalizer } from "./normalizer.js";
import type { Pretokenizer } from "./pretokenizers/pretokenizer.js";
import { CountSink, EncodeSink, LimitSink, OffsetSink, type ScanSink } from "./scan-sinks.js";
import { prefixedMap, type SourceMap } from "./source-map.js";
import type { TokenModel } from "./token-model.js";
import type {
  DecodeOptions,
  EncodeOptions,
  Encoding,
  SequenceTemplate,
  StreamDecoder,
  Tokenizer,
} from "./tokenizer.js";

/**
 * Which stretches get a space in front, so that a first word looks like any other. `stretch`: all between added tokens
 * that do not begin with a space (`ByteLevel` with `add_prefix_space`), and decoding keeps it. `text`: the text as a
 * whole, also after BOS, and decoding drops the space again (SentencePiece).
 */
export type PrefixSpace = "none" | "stretch" | "text";

export interface PipelineParts {
  readonly model: TokenModel;
  readonly pretokenizer: Pretokenizer;
  readonly normalizer?: Normalizer | undefined;
  readonly addedTokens?: readonly AddedToken[];
  readonly prefixSpace?: PrefixSpace;
  readonly template?: SequenceTemplate;
}

/** Tokens to look for in the raw text, and in what normalisation makes of the rest. */
interface Matchers {
  readonly raw: TokenMatcher | undefined;
  readonly normalized: TokenMatcher | undefined;
}

/** A pretoken longer than this many code units per allowed token is cut by `truncate` without being read to its end. */
const maxUnitsPerToken = 128;

const blank = 0x20;

export class PipelineTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly template: SequenceTemplate;
  readonly model: TokenModel;
  readonly addedTokens: readonly AddedToken[];
  readonly #pretokenizer: Pretokenizer;
  readonly #normalizer: Normalizer | undefined;
  readonly #prefixSpace: PrefixSpace;
  readonly #addedById: ReadonlyMap<number, AddedToken>;
  readonly #addedIds: ReadonlyMap<string, number>;
  readonly #matchers: Matchers;
  /** Some tokens are found in every text, since they are not special. */
  readonly #findsTokens: boolean;
  /** A text goes to the pre-tokenizer as it is, unless special tokens are asked for. */
  readonly #isDirect: boolean;
  readonly #counter: CountSink;

  constructor({
    model,
    pretokenizer,
    normalizer,
    addedTokens = [],
    prefixSpace = "none",
    template = { prefix: [], suffix: [] },
  }: PipelineParts) {
    const special = addedTokens.filter((token) => token.isSpecial);
    this.model = model;
    this.addedTokens = addedTokens;
    this.template = template;
    this.vocabSize = addedTokens.reduce((size, token) => Math.max(size, token.id + 1), model.vocabSize);
    this.specialTokens = new Map(special.map((token) => [token.content, token.id]));
    this.#pretokenizer = pretokenizer;
    this.#normalizer = normalizer;
    this.#prefixSpace = prefixSpace;
    this.#addedById = new Map(addedTokens.map((token) => [token.id, token]));
    this.#addedIds = new Map(addedTokens.map((token) => [token.content, token.id]));
    this.#matchers = matchersOf(addedTokens, normalizer);
    this.#findsTokens = special.length < addedTokens.length;
    this.#isDirect = !this.#findsTokens && normalizer === undefined && prefixSpace === "none";
    this.#counter = new CountSink(model);
  }

  encode(text: string, options?: EncodeOptions): Int32Array {
    const sink = new EncodeSink(this.model);
    this.#scan(text, 0, text.length, sink, options);
    return sink.ids.toArray();
  }

  encodeWithOffsets(text: string, options?: EncodeOptions): Encoding {
    const sink = new OffsetSink(this.model);
    this.#scan(text, 0, text.length, sink, options);
    return { ids: sink.ids.toArray(), offsets: sink.offsets.toArray() };
  }

  count(text: string, start = 0, end: number = text.length): number {
    const sink = this.#counter;
    sink.total = 0;
    this.#scan(text, Math.max(0, start), Math.min(end, text.length), sink);
    sink.text = ""; // the tokenizer outlives the text
    return sink.total;
  }

  addsUpAt(text: string, index: number): boolean {
    if (index <= 0 || index >= text.length || this.#prefixSpace !== "none") return false;
    if (isSurrogate(text.charCodeAt(index - 1)) || isSurrogate(text.charCodeAt(index))) return false;
    if (this.#pretokenizer.cutEffect(text, index) !== "none") return false;
    return this.#isDirect || this.#isApart(text, index);
  }

  /** @throws ConfigError when `maxTokens` is negative or not a number. */
  truncate(text: string, start: number, end: number, maxTokens: number): number {
    if (!(maxTokens >= 0)) throw new ConfigError(`truncate: maxTokens must be 0 or more, got ${maxTokens}`);
    if (start >= end) return start;
    // only a window of the text is looked at, so that cutting up a long text takes linear time
    for (let size = 16 + 8 * maxTokens; ; size *= 2) {
      const stop = Math.min(end, wholeCharacter(text, start + size));
      const sink = new LimitSink(this.model, maxTokens);
      this.#scan(text, start, stop, sink);
      if (sink.overflow < 0 && stop < end) continue;
      const place = sink.overflow < 0 ? end : sink.fits;
      if (place <= start) return this.#truncateWord(text, start, sink.overflow, maxTokens);
      // the window may have cut a word in two, and a whole word can have fewer tokens than its beginning
      if (sink.overflow === stop && stop < end && size < maxUnitsPerToken * maxTokens) continue;
      // a pattern may see the end of a text, and cut the last word differently there
      return this.count(text, start, place) <= maxTokens ? place : this.truncate(text, start, place - 1, maxTokens);
    }
  }

  decode(ids: ArrayLike<number>, options?: DecodeOptions): string {
    const bytes = new ByteBuffer();
    const bytesOf = this.#decoding(options);
    for (let i = 0; i < ids.length; i++) bytes.append(bytesOf(ids[i]!));
    return utf8Decoder().decode(bytes.view());
  }

  streamDecoder(options?: DecodeOptions): StreamDecoder {
    const bytesOf = this.#decoding(options);
    const decoder = utf8Decoder();
    return { push: (id) => decoder.decode(bytesOf(id), { stream: true }), flush: () => decoder.decode() };
  }

  tokenId(token: string): number | undefined {
    return this.#addedIds.get(token) ?? this.model.tokenId(token);
  }

  token(id: number): string | undefined {
    return this.#addedById.get(id)?.content ?? this.model.token(id);
  }

  /** Whether neither the normaliser nor a token reaches across `index`. */
  #isApart(text: string, index: number): boolean {
    if (this.#normalizer?.separatesAt(text, index) === false) return false;
    if (!this.#findsTokens) return true;
    const { raw, normalized } = this.#matchers;
    return raw?.mayCross(text, index) !== true && normalized?.mayCross(text, index) !== true;
  }

  /** Cuts text to pieces for the sink: added tokens, and pretokens of what lies between. */
  #scan(text: string, start: number, end: number, sink: ScanSink, { specialTokens = false }: EncodeOptions = {}): void {
    if (start >= end) return;
    sink.begin(text);
    if (this.#isDirect && !specialTokens) {
      this.#pretokenizer.scan(text, start, end, sink.visit);
      return;
    }
    const { raw } = this.#matchers;
    const visitGap = (from: number, to: number): boolean => this.#scanRaw(text, from, to, specialTokens, sink);
    if (raw === undefined) visitGap(start, end);
    else raw.scan(text, start, end, specialTokens, visitGap, (token, from, to) => this.#add(token, from, to, sink));
  }

  /** A stretch of raw text: normalises it, and looks for the tokens that stand in normalised text. */
  #scanRaw(text: string, start: number, end: number, specialTokens: boolean, sink: ScanSink): boolean {
    const original = this.#normalizer === undefined ? text : text.slice(start, end);
    const normalized = this.#normalizer?.normalize(original) ?? text;
    const isChanged = normalized !== original;
    const source = isChanged ? this.#normalizer?.sourceMap(original, start) : undefined;
    const [content, from, to] = isChanged ? [normalized, 0, normalized.length] : [text, start, end];
    const visitGap = (gapStart: number, gapEnd: number): boolean =>
      this.#scanStretch(content, gapStart, gapEnd, source, sink);
    const matcher = this.#matchers.normalized;
    if (matcher === undefined) return visitGap(from, to);
    return matcher.scan(content, from, to, specialTokens, visitGap, (token, tokenStart, tokenEnd) =>
      this.#add(token, source?.start(tokenStart) ?? tokenStart, source?.end(tokenEnd) ?? tokenEnd, sink),
    );
  }

  #scanStretch(text: string, start: number, end: number, source: SourceMap | undefined, sink: ScanSink): boolean {
    const lacksSpace = this.#prefixSpace === "stretch" && text.charCodeAt(start) !== blank;
    const isPrefixed = lacksSpace || (this.#prefixSpace === "text" && sink.isAtStart);
    sink.isAtStart = false;
    sink.text = isPrefixed ? ` ${text.slice(start, end)}` : text;
    sink.source = isPrefixed ? prefixedMap(start, source) : source;
    return isPrefixed
      ? this.#pretokenizer.scan(sink.text, 0, sink.text.length, sink.visit)
      : this.#pretokenizer.scan(text, start, end, sink.visit);
  }

  #add(token: AddedToken, start: number, end: number, sink: ScanSink): boolean {
    sink.isAtStart = token.isSpecial && (sink.isAtStart || this.#beginsText(token));
    return sink.added(token.id, start, end);
  }

  /** Whether the token is a mark, such as BOS, after which a text begins anew. */
  #beginsText({ id }: AddedToken): boolean {
    return this.template.prefix.includes(id);
  }

  /** The first word alone, `text[start, end)`, is too long: cuts it between two tokens, where a character ends. */
  #truncateWord(text: string, start: number, end: number, maxTokens: number): number {
    const { offsets } = this.encodeWithOffsets(text.slice(start, end));
    for (let i = Math.floor(maxTokens); i > 0; i--) {
      const place = start + offsets[2 * i - 1]!;
      const endsCharacter = 2 * i >= offsets.length || start + offsets[2 * i]! >= place;
      if (endsCharacter && place > start && this.count(text, start, place) <= maxTokens) return place;
    }
    return start;
  }

  /** Gives the bytes of one id after the other. */
  #decoding({ keepSpecialTokens = false }: DecodeOptions = {}): (id: number) => Uint8Array {
    let isAtStart = true;
    return (id) => {
      const added = this.#addedById.get(id);
      const bytes = added === undefined ? this.model.bytes(id) : new TextEncoder().encode(added.content);
      if (bytes === undefined)
        throw new DataError(`decode: id ${id} is not in the vocabulary of ${this.vocabSize} ids`);
      if (added?.isSpecial) {
        isAtStart ||= this.#beginsText(added);
        return keepSpecialTokens ? bytes : bytes.subarray(0, 0);
      }
      const dropsSpace = isAtStart && this.#prefixSpace === "text" && bytes[0] === blank;
      isAtStart = false;
      return dropsSpace ? bytes.subarray(1) : bytes;
    };
  }
}

function matchersOf(tokens: readonly AddedToken[], normalizer: Normalizer | undefined): Matchers {
  const matcher = (isNormalized: boolean): TokenMatcher | undefined => {
    const chosen = tokens.filter((token) => token.isNormalized === isNormalized);
    const content = (token: AddedToken) => (isNormalized && normalizer?.normalize(token.content)) || token.content;
    return chosen.length === 0 ? undefined : new TokenMatcher(chosen.map((token) => [content(token), token]));
  };
  return { raw: matcher(false), normalized: matcher(true) };
}

/** A byte order mark is text like any other: decoding must give back what was encoded. */
function utf8Decoder() {
  return new TextDecoder("utf-8", { ignoreBOM: true });
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** `index`, or one more where it lies within a surrogate pair. */
function wholeCharacter(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff ? index + 1 : index;
}
