/** @file A tokenizer put together from its parts: added tokens, normaliser, pre-tokenizer and model. */

import { ConfigError, DataError } from "../base/errors.js";
import { type AddedToken, TokenMatcher } from "./added-tokens.js";
import { type DecodedToken, type Decoding, newText } from "./decoding.js";
import type { PretokenStep } from "./pretokenizers/steps.js";
import { CountSink, EncodeSink, LimitSink, OffsetSink, type ScanSink } from "./scan-sinks.js";
import type { SourceMap } from "./source-map.js";
import { changeMap, type TextChange } from "./text-change.js";
import type { TokenModel } from "./token-model.js";
import type {
  DecodeOptions,
  EncodeOptions,
  Encoding,
  SequenceTemplate,
  StreamDecoder,
  StreamEncoder,
  TemplatePiece,
  Tokenizer,
} from "./tokenizer.js";

export interface PipelineParts {
  readonly model: TokenModel;
  readonly steps: readonly PretokenStep[];
  readonly decoding: Decoding;
  readonly normalizer?: TextChange | undefined;
  readonly addedTokens?: readonly AddedToken[];
  readonly template?: SequenceTemplate;
  readonly pairTemplate?: readonly TemplatePiece[] | undefined;
}

/** Tokens to look for in the raw text, and in what normalisation makes of the rest. */
interface Matchers {
  readonly raw: TokenMatcher | undefined;
  readonly normalized: TokenMatcher | undefined;
}

/** A pretoken longer than this many code units per allowed token is cut by `truncate` without being read to its end. */
const maxUnitsPerToken = 128;

export class PipelineTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly template: SequenceTemplate;
  readonly model: TokenModel;
  readonly addedTokens: readonly AddedToken[];
  readonly pairTemplate: readonly TemplatePiece[] | undefined;
  readonly #steps: readonly PretokenStep[];
  readonly #normalizer: TextChange | undefined;
  readonly #decoding: Decoding;
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
    steps,
    decoding,
    normalizer,
    addedTokens = [],
    template = { prefix: [], suffix: [] },
    pairTemplate,
  }: PipelineParts) {
    const special = addedTokens.filter((token) => token.isSpecial);
    this.model = model;
    this.addedTokens = addedTokens;
    this.template = template;
    this.vocabSize = addedTokens.reduce((size, token) => Math.max(size, token.id + 1), model.vocabSize);
    this.specialTokens = new Map(special.map((token) => [token.content, token.id]));
    this.pairTemplate = pairTemplate;
    this.#steps = steps;
    this.#normalizer = normalizer;
    this.#decoding = decoding;
    this.#addedById = new Map(addedTokens.map((token) => [token.id, token]));
    this.#addedIds = new Map(addedTokens.map((token) => [token.content, token.id]));
    this.#matchers = matchersOf(addedTokens, normalizer);
    this.#findsTokens = special.length < addedTokens.length;
    const isPlain = normalizer === undefined && steps.length === 1 && steps[0]?.change === undefined;
    this.#isDirect = !this.#findsTokens && isPlain;
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
    return this.#partsAt(text, index, false);
  }

  streamEncoder(): StreamEncoder {
    let [held, isStart] = ["", true];
    const encoded = (text: string): Int32Array => {
      const sink = new EncodeSink(this.model);
      this.#scan(text, 0, text.length, sink, {}, !isStart);
      isStart &&= text === "";
      return sink.ids.toArray();
    };
    return {
      push: (text) => {
        const known = held.length;
        held += text;
        // places before were looked at when they came
        let end = held.length - 1;
        while (end > 0 && end >= known && !this.#partsAt(held, end, true)) end--;
        if (end <= 0 || end < known) return new Int32Array();
        const ids = encoded(held.slice(0, end));
        held = held.slice(end);
        return ids;
      },
      flush: () => {
        const ids = encoded(held);
        [held, isStart] = ["", true];
        return ids;
      },
    };
  }

  /**
   * Whether the text can be encoded in two parts, cut at `index`.
   * @param goesOn the second as a text that goes on, else as one of its own.
   */
  #partsAt(text: string, index: number, goesOn: boolean): boolean {
    if (index <= 0 || index >= text.length) return false;
    if (isSurrogate(text.charCodeAt(index - 1)) || isSurrogate(text.charCodeAt(index))) return false;
    const [first, ...later] = this.#steps;
    // a piece that is the first of its text in one part may be a later one of the whole
    if (!goesOn && later.some(({ change }) => change?.first !== undefined)) return false;
    let pair: string | undefined = text.slice(index - 1, index + 1);
    if (this.#normalizer !== undefined) pair = this.#normalizer.seam(text, index, goesOn);
    if (pair !== undefined && first?.change !== undefined) pair = first.change.seam(pair, 1, goesOn);
    if (pair === undefined || first?.pretokenizer.cutEffect(pair, 1) !== "none") return false;
    return !this.#findsTokens || this.#isApart(text, index);
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
    if (this.#decoding.decodeAll !== undefined) return this.#decoding.decodeAll(this.#decoded(ids, options));
    const decoder = this.streamDecoder(options);
    let text = "";
    for (let i = 0; i < ids.length; i++) text += decoder.push(ids[i]!);
    return text + decoder.flush();
  }

  streamDecoder(options?: DecodeOptions): StreamDecoder {
    const state = this.#decoding.open();
    return {
      push: (id) => {
        let text = "";
        for (const token of this.#decoded([id], options)) {
          if (token === newText) state.restart();
          else text += state.push(token);
        }
        return text;
      },
      flush: () => state.flush(),
    };
  }

  tokenId(token: string): number | undefined {
    return this.#addedIds.get(token) ?? this.model.tokenId(token);
  }

  token(id: number): string | undefined {
    return this.#addedById.get(id)?.content ?? this.model.token(id);
  }

  /** Whether no token reaches across `index`. */
  #isApart(text: string, index: number): boolean {
    const { raw, normalized } = this.#matchers;
    return raw?.mayCross(text, index) !== true && normalized?.mayCross(text, index) !== true;
  }

  /** Cuts text to pieces for the sink: added tokens, and pretokens of what lies between. */
  #scan(
    source: string,
    start: number,
    end: number,
    sink: ScanSink,
    { specialTokens = false }: EncodeOptions = {},
    goesOn = false,
  ): void {
    if (start >= end) return;
    const text = this.#isDirect || isWellFormed(source.slice(start, end)) ? source : wellFormed(source);
    if (goesOn) sink.goOn(text);
    else sink.begin(text, start);
    if (this.#isDirect && !specialTokens) {
      this.#steps[0]?.pretokenizer.scan(text, start, end, sink.visit);
      return;
    }
    const { raw } = this.#matchers;
    const visitGap = (from: number, to: number): boolean => this.#scanRaw(text, from, to, specialTokens, sink);
    if (raw === undefined) visitGap(start, end);
    else raw.scan(text, start, end, specialTokens, visitGap, (token, from, to) => this.#add(token, from, to, sink));
  }

  /** A stretch of raw text: normalises it, and looks for the tokens that stand in normalised text. */
  #scanRaw(text: string, start: number, end: number, specialTokens: boolean, sink: ScanSink): boolean {
    const [content, from, to, source] = changed(this.#normalizer, text, start, end, undefined, sink);
    const visitGap = (gapStart: number, gapEnd: number): boolean =>
      this.#scanStretch(content, gapStart, gapEnd, source, sink);
    const matcher = this.#matchers.normalized;
    if (from >= to) return true;
    if (matcher === undefined) return visitGap(from, to);
    return matcher.scan(content, from, to, specialTokens, visitGap, (token, tokenStart, tokenEnd) =>
      this.#add(token, source?.start(tokenStart) ?? tokenStart, source?.end(tokenEnd) ?? tokenEnd, sink),
    );
  }

  #scanStretch(text: string, start: number, end: number, source: SourceMap | undefined, sink: ScanSink): boolean {
    const goesOn = this.#scanStep(0, text, start, end, source, sink);
    sink.isAtStart = false;
    return goesOn;
  }

  #scanStep(
    index: number,
    text: string,
    start: number,
    end: number,
    outer: SourceMap | undefined,
    sink: ScanSink,
  ): boolean {
    const { change, pretokenizer } = this.#steps[index]!;
    const [content, from, to, source] = changed(change, text, start, end, outer, sink);
    if (index + 1 < this.#steps.length) {
      return pretokenizer.scan(content, from, to, (pieceStart, pieceEnd) =>
        this.#scanStep(index + 1, content, pieceStart, pieceEnd, source, sink),
      );
    }
    sink.text = content;
    sink.source = source;
    return pretokenizer.scan(content, from, to, sink.visit);
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

  /** A token that is found in normalised text is written as it stands there. */
  #written({ content, isNormalized }: AddedToken): string {
    return isNormalized && this.#normalizer !== undefined ? this.#normalizer.apply(content, false) : content;
  }

  /** What decoding sees of ids: special tokens are left out unless asked for, but those that begin a text are heard of. */
  *#decoded(
    ids: ArrayLike<number>,
    { keepSpecialTokens = false }: DecodeOptions = {},
  ): Generator<DecodedToken | typeof newText> {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      const added = this.#addedById.get(id);
      const token = added === undefined ? this.model.token(id) : this.#written(added);
      if (token === undefined) {
        throw new DataError(`decode: id ${id} is not in the vocabulary of ${this.vocabSize} ids`);
      }
      if (added?.isSpecial !== true || keepSpecialTokens) yield { token, id, isAdded: added !== undefined };
      if (added?.isSpecial === true && this.#beginsText(added)) yield newText;
    }
  }
}

/** What a change makes of `text[start, end)`: the text that has it, where it lies there, and the way back. */
function changed(
  change: TextChange | undefined,
  text: string,
  start: number,
  end: number,
  source: SourceMap | undefined,
  sink: ScanSink,
): readonly [text: string, start: number, end: number, source: SourceMap | undefined] {
  if (change === undefined) return [text, start, end, source];
  const original = start === 0 && end === text.length ? text : text.slice(start, end);
  const isAtOrigin = (): boolean => (source?.start(start) ?? start) === sink.origin;
  const isFirst = change.first === "origin" ? isAtOrigin() : change.first === "text" && sink.isAtStart;
  const result = change.apply(original, isFirst);
  if (result === original) return [text, start, end, source];
  return [result, 0, result.length, changeMap(change, original, isFirst, start, source)];
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** A lone surrogate is read as U+FFFD; the length stays. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

function matchersOf(tokens: readonly AddedToken[], normalizer: TextChange | undefined): Matchers {
  const matcher = (isNormalized: boolean): TokenMatcher | undefined => {
    const chosen = tokens.filter((token) => token.isNormalized === isNormalized && token.content !== "");
    const content = (token: AddedToken) => (isNormalized && normalizer?.apply(token.content, false)) || token.content;
    return chosen.length === 0 ? undefined : new TokenMatcher(chosen.map((token) => [content(token), token]));
  };
  return { raw: matcher(false), normalized: matcher(true) };
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** `index`, or one more where it lies within a surrogate pair. */
function wholeCharacter(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff ? index + 1 : index;
}
