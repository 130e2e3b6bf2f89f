/** @file The data of a tuning run: read, split, rendered, cut into rows. */

import { ConfigError } from "../../base/errors.js";
import {
  type Example,
  type ExampleDocument,
  ExampleRenderer,
  hashExamples,
  OutputSchema,
  type ReadOptions,
  type ReadReport,
  type RenderOptions,
  readExamples,
  schemaFormat,
  splitExamples,
  type TokenReport,
  tokenizeExamples,
  withoutHeldOut,
} from "../../datasets/index.js";
import { withVirtualTokens } from "../../peft/index.js";
import type { TextModel } from "../../presets/index.js";
import { type PackedDataset, packers, type TokenDocument } from "../../train/index.js";
import { marksOf } from "../base-model.js";
import { chatTemplatesOf } from "../chat-format.js";
import { withDemonstrations } from "./demonstrations.js";
import type { TuneSettings } from "./tune-config.js";

export interface TuneExamples {
  readonly train: readonly Example[];
  readonly heldOut: readonly Example[];
  readonly report: ReadReport;
  /** Training examples that were held out too, and so left out. */
  readonly numRemoved: number;
  /** SHA-256 of the examples, without demonstrations, on both sides, in their order. */
  readonly hash: string;
}

/** Reads and splits. @throws DataError naming every fault with file and line. */
export async function tuneExamples(settings: TuneSettings): Promise<TuneExamples> {
  const { data, validation, heldOut: share, seed } = settings;
  const options = readOptions(settings);
  const read = await readExamples(data, options);
  const named = validation === undefined ? read.heldOut : (await readExamples(validation, options)).examples;
  const split =
    named.length > 0 ? { train: read.examples, heldOut: named } : splitExamples(read.examples, { share, seed });
  const { train, numRemoved } = withoutHeldOut(split.train, split.heldOut);
  const hash = hashExamples([...train, ...split.heldOut]);
  const { demonstrations } = settings;
  const shown = (examples: readonly Example[]): readonly Example[] =>
    demonstrations ? withDemonstrations(examples, train, demonstrations, seed) : examples;
  return { train: shown(train), heldOut: shown(split.heldOut), report: read.report, numRemoved, hash };
}

function readOptions({ format, columns, rowSchema, outputSchema, duplicates }: TuneSettings): ReadOptions {
  if (rowSchema && format !== undefined)
    throw new ConfigError("tuning: rowSchema is a format; leave out the other one");
  const output = outputSchema && new OutputSchema(outputSchema);
  return {
    duplicates,
    ...(output && { output }),
    ...(columns && { columns }),
    ...(format !== undefined && { format }),
    ...(rowSchema && { format: schemaFormat({ ...rowSchema, output }) }),
  };
}

export interface TuneRows {
  readonly time: number;
  readonly train: PackedDataset;
  readonly heldOut: PackedDataset | undefined;
  readonly trainReport: TokenReport;
  /** Documents that are held out, with the examples they came from. */
  readonly heldOutDocuments: readonly ExampleDocument[];
  /** The chat template that was made for a model without one, to be kept with it. */
  readonly template: string | undefined;
}

/** How examples of a run become tokens. */
export function renderOptionsOf(loaded: TextModel, { lossOn }: Pick<TuneSettings, "lossOn">): RenderOptions {
  const template = chatTemplatesOf(loaded).get("default");
  return {
    tokenizer: loaded.tokenizer,
    marks: marksOf(loaded),
    lossOn,
    now: new Date(0),
    ...(template && { template }),
  };
}

/** Positions per row unless asked otherwise. */
const MOST_POSITIONS = 2048;

/** Renders with the model's chat template, encodes and packs. */
export function tuneRows(
  examples: Pick<TuneExamples, "train" | "heldOut">,
  loaded: TextModel,
  settings: TuneSettings,
  numVirtualTokens: number,
): TuneRows {
  const { overLong, length, packing, contextLength } = settings;
  const most = loaded.model.maxPositions;
  if (length !== undefined && length > most) {
    throw new ConfigError(`tuning: rows of ${length} positions, but the model has ${most}; give a smaller length`);
  }
  const limit = length ?? contextLength ?? Math.min(most, MOST_POSITIONS);
  const options = {
    ...renderOptionsOf(loaded, settings),
    maxTokens: limit + 1 - numVirtualTokens,
    ...(overLong && { overLong }),
  };
  const tokenized = tokenizeExamples(examples.train, options);
  const heldOut = examples.heldOut.length === 0 ? undefined : tokenizeExamples(examples.heldOut, options);
  const longest = [...tokenized.documents, ...(heldOut?.documents ?? [])].reduce(
    (most, { ids }) => Math.max(most, ids.length - 1 + numVirtualTokens),
    8,
  );
  const time = length ?? Math.min(limit, 8 * Math.ceil(longest / 8));
  const packed = (documents: readonly TokenDocument[]): PackedDataset =>
    packers[packing ? "best-fit" : "padded"](
      documents.map((document) => withPlaceholders(document, numVirtualTokens)),
      time,
    );
  return {
    time,
    train: packed(tokenized.documents),
    heldOut: heldOut && packed(heldOut.documents),
    trainReport: tokenized.report,
    heldOutDocuments: heldOut?.documents ?? [],
    template: options.template ? undefined : madeTemplate(examples.train, options),
  };
}

function madeTemplate(examples: readonly Example[], options: RenderOptions): string | undefined {
  const chat = examples.map(({ body }) => body).find((body) => body.kind === "chat");
  return chat && new ExampleRenderer(options).templateFor(chat.style).source;
}

/** A document after the positions of virtual tokens, which are not learned. */
function withPlaceholders(document: TokenDocument, numVirtualTokens: number): TokenDocument {
  if (numVirtualTokens === 0) return document;
  const targets = new Uint8Array(numVirtualTokens + document.ids.length);
  targets.set(document.targets ?? new Uint8Array(document.ids.length).fill(1), numVirtualTokens);
  return { ids: withVirtualTokens({ numVirtualTokens }, document.ids), targets };
}
