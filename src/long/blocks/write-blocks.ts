/** @file Texts of any length, generated in blocks that are judged one by one and can be gone on from. */

import { CapacityError, ConfigError } from "../../base/errors.js";
import { deriveSeed, Rng, type RngState } from "../../base/rng.js";
import type { Engine, RequestOptions } from "../../engine/index.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import type { Block, BlockEnd, BlockHook, BlockRecord, Verdict } from "./block.js";
import { BlockText } from "./block-text.js";

/** What writes the blocks. */
export interface BlockModel {
  readonly engine: Pick<Engine, "generate" | "contextLength">;
  readonly tokenizer: Tokenizer;
}

export interface BlockOptions
  extends Omit<RequestOptions, "maxTokens" | "seed" | "written" | "reusableTokens" | "logprobs" | "speculation"> {
  /** Token ids that the text begins behind. */
  readonly prompt: ArrayLike<number>;
  /** Tokens of a block. */
  readonly blockTokens: number;
  /** Most tokens in all. Default: until the text ends, without end where old text makes room. */
  readonly maxTokens?: number;
  /** Equal seeds give equal text. Default 0. */
  readonly seed?: number;
  /** The text, or what stands behind the last guidance or edit of it, ends before the first of these. */
  readonly stop?: readonly string[];
  /**
   * What happens once prompt and text fill the context: `stop` (default) ends the text; with `roll` the model reads the
   * prompt and the latest half of what fits, each time that is used up.
   */
  readonly beyondContext?: "stop" | "roll";
  readonly onBlock?: BlockHook;
}

/**
 * Writes a text block by block; the next one is begun when it is asked for. What `done` holds is taken as written: the
 * blocks that follow are those that would have followed in one go, to the last bit, as long as nothing else that runs in
 * the engine begins alike. To that end keys and values of finished blocks are computed once more, as a prompt's are. Ends
 * without a last block when the signal is aborted; the block under way is lost.
 * @throws ConfigError for options out of range; CapacityError when not even a token fits behind the prompt; DataError when
 * `done` does not fit the options.
 */
export async function* writeBlocks(
  model: BlockModel,
  options: BlockOptions,
  done: readonly BlockRecord[] = [],
): AsyncGenerator<BlockRecord, void> {
  const { prompt: start, blockTokens, beyondContext: _, seed = 0, stop = [], ...rest } = options;
  const { maxTokens = Number.POSITIVE_INFINITY, onBlock = () => undefined, ...sampling } = rest;
  checkOptions(options);
  const window = new Window(model.engine.contextLength, options);
  const text = new BlockText(model.tokenizer, Array.from(start), stop);
  let rng = new Rng(seed).state;
  for (const [index, record] of done.entries()) {
    window.next(text.ids);
    text.replay(record, index);
    rng = record.rng;
  }
  if (done.at(-1)?.isLast) return;
  for (let index = done.length; ; index++) {
    const { prompt, reusableTokens, room } = window.next(text.ids);
    const most = Math.min(room, maxTokens - text.numGenerated);
    // what is proposed depends on more than the text, and so would the last bits
    const asked = {
      ...sampling,
      speculation: false,
      seed: rng,
      written: text.written,
      maxTokens: most,
      reusableTokens,
    };
    const written = room > 0 ? await writeOne(model, prompt, asked, text) : { ids: [], end: "full" as const, rng };
    if (!written) return;
    const { ids } = written;
    const isCut = written.end === "full" && room < blockTokens && ids.length === room;
    const end = isCut ? "context" : written.end;
    const block: Block = { index, text: text.certain, held: text.held, numTokens: ids.length, end };
    const verdict = (await onBlock(block, text.text)) ?? {};
    rng = written.rng ?? new Rng(deriveSeed(seed, `block ${index + 1}`)).state;
    const isUsedUp = text.numGenerated + ids.length >= maxTokens || end === "context";
    const judged = { ids, end, rng, ...judgement(verdict, end, isUsedUp) };
    const record = { ...judged, text: text.add(judged) };
    yield record;
    if (record.isLast) return;
  }
}

/** What a verdict makes of a block. */
function judgement(
  { stop = false, text, guidance }: Verdict,
  end: BlockEnd,
  isUsedUp: boolean,
): Pick<BlockRecord, "edit" | "guidance" | "isLast"> {
  const isLast = stop || isUsedUp || (end === "stop" && guidance === undefined);
  return {
    ...(text !== undefined && { edit: text }),
    ...(guidance !== undefined && !isLast && { guidance }),
    isLast,
  };
}

interface Written {
  readonly ids: readonly number[];
  readonly end: BlockEnd;
  /** Absent where a stop string ended the block: the engine may have been ahead of it. */
  readonly rng?: RngState;
}

/** The tokens of one block, pushed to `text`; undefined where the request was given up. */
async function writeOne(
  { engine }: BlockModel,
  prompt: readonly number[],
  options: RequestOptions,
  text: BlockText,
): Promise<Written | undefined> {
  const ids: number[] = [];
  const tokens = engine.generate(prompt, options);
  for (let next = await tokens.next(); ; next = await tokens.next()) {
    if (next.done) {
      const { reason, rng } = next.value;
      if (reason === "aborted") return undefined;
      const end = reason === "length" ? "full" : reason;
      return { ids, end, ...(rng && { rng }) };
    }
    ids.push(next.value.id);
    if (!text.push(next.value.id)) continue;
    // leaving gives the request up
    await tokens.return({
      reason: "aborted",
      promptTokens: prompt.length,
      cachedTokens: 0,
      generatedTokens: ids.length,
    });
    return { ids, end: "stop" };
  }
}

/** What the model reads for each block: all there is, or the prompt and the latest text. */
class Window {
  readonly #contextLength: number;
  readonly #prompt: readonly number[];
  readonly #blockTokens: number;
  readonly #rolls: boolean;
  #numDropped = 0;
  /** Tokens that the last block was written behind. */
  #numRead = 0;

  constructor(contextLength: number, { prompt, blockTokens, beyondContext = "stop" }: BlockOptions) {
    this.#contextLength = contextLength;
    this.#prompt = Array.from(prompt);
    this.#blockTokens = blockTokens;
    this.#rolls = beyondContext === "roll";
    const least = this.#prompt.length + (this.#rolls ? 2 * blockTokens : 1);
    if (contextLength < least) {
      const what = this.#rolls ? `a prompt of ${prompt.length} tokens and two blocks of ${blockTokens}` : "the prompt";
      throw new CapacityError(
        `blocks: ${what} take ${least} tokens, but the context holds ${contextLength}; shorten them`,
      );
    }
  }

  /** Called once per block, with what has been read and written behind the prompt. */
  next(ids: readonly number[]): { prompt: readonly number[]; reusableTokens: number; room: number } {
    const full = this.#contextLength - this.#prompt.length - this.#blockTokens;
    let reusableTokens = this.#numRead;
    if (this.#rolls && ids.length - this.#numDropped > full) {
      // half is left, so that what is read stays the same for many blocks
      this.#numDropped = ids.length - Math.floor(full / 2);
      reusableTokens = this.#prompt.length;
    }
    const prompt = [...this.#prompt, ...ids.slice(this.#numDropped)];
    this.#numRead = prompt.length;
    return { prompt, reusableTokens, room: Math.min(this.#blockTokens, this.#contextLength - prompt.length) };
  }
}

function checkOptions({ blockTokens, maxTokens = 1 }: BlockOptions): void {
  for (const [name, value] of Object.entries({ blockTokens, maxTokens })) {
    if (!Number.isInteger(value) || value < 1)
      throw new ConfigError(`blocks: ${name} must be a whole number from 1, got ${value}`);
  }
}
