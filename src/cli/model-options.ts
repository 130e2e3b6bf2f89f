/** @file Options of the commands that write text with a model, and the model opened with them. */

import { existsSync } from "node:fs";
import { basename } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { resolveModel } from "../checkpoint/index.js";
import {
  type CachePolicyName,
  cachePolicies,
  type SpeculationName,
  speculations,
  type WeightFormat,
} from "../engine/index.js";
import type { ReadingModel } from "../long/index.js";
import type { AdapterFolder } from "../pipeline/adapter-models.js";
import { readingModel } from "../pipeline/reading-model.js";
import { openTextProcess, type TextProcess } from "../pipeline/text-process/open.js";
import { openTextHere } from "../pipeline/text-process/open-here.js";
import type { TextProcessOptions } from "../pipeline/text-process/protocol.js";
import type { LocalTextService, OpenTextService } from "../pipeline/text-service.js";
import { type ServedModel, samplingRequest } from "../server/openai/index.js";
import { parseInteger } from "./options.js";

export interface ModelFlags {
  readonly weights: WeightFormat;
  readonly context?: number;
  readonly cache?: CachePolicyName;
  readonly draft?: string;
  readonly speculate?: Speculate;
}

/** A way to guess tokens ahead, and how many at most. */
interface Speculate {
  readonly way: SpeculationName;
  readonly tokens?: number;
}

export interface SamplingFlags {
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed: number;
  readonly stop: readonly string[];
}

export function addModelOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--weights <format>", "weights in memory").choices(["float32", "int8", "int4"]).default("int8"),
    )
    .option(
      "--context <tokens>",
      "most tokens of prompt and text together (default: the model's own)",
      parseInteger(1, 2 ** 24),
    )
    .option("--draft <model>", "a smaller model with the same tokenizer that guesses ahead: same text, sooner")
    .option(
      "--speculate <way[:tokens]>",
      "guess ahead by ngram (what the text itself said before), draft, or bild (keeps what --draft wrote where it is not far off)",
      parseSpeculate,
    );
}

function parseSpeculate(text: string): Speculate {
  const [name = "", tokens, ...rest] = text.split(":");
  const way = (Object.keys(speculations) as SpeculationName[]).find((known) => known === name);
  if (!way || rest.length > 0) {
    throw new InvalidArgumentError(
      `expected ${Object.keys(speculations).join(", ")}, with :tokens behind it or not, got "${text}"`,
    );
  }
  return { way, ...(tokens !== undefined && { tokens: parseInteger(1, 15)(tokens) }) };
}

/** What of speculation is asked for; a draft alone is one to speculate with. */
async function speculationOf({ draft, speculate }: ModelFlags): Promise<Pick<TextProcessOptions, "speculation">> {
  if (draft === undefined && speculate === undefined) return {};
  const chosen = speculate ?? { way: "draft" };
  return {
    speculation: { ...chosen, ...(draft !== undefined && { draftPath: await resolveModel(draft) }) },
  };
}

/** Where neither user nor model says: varied but not wild text, the same every time. */
const defaultTemperature = 0.8;

export function addSamplingOptions(command: Command): Command {
  return command
    .option(
      "--max-tokens <count>",
      "most tokens to write (default: until the context is full)",
      parseInteger(1, 2 ** 24),
    )
    .option(
      "--temperature <number>",
      "0 takes the likeliest token, 2 is wild (default: the model's own, else 0.8)",
      numberIn(0, 2),
    )
    .option(
      "--top-p <number>",
      "only the likeliest tokens that reach this probability (default: the model's own, else 1)",
      numberIn(0, 1),
    )
    .option(
      "--top-k <count>",
      "only so many of the likeliest tokens (default: the model's own, else all)",
      parseInteger(1, 2 ** 24),
    )
    .option("--seed <number>", "equal seeds give equal text", parseInteger(0, 2 ** 31 - 1), 0)
    .option("--stop <text...>", "end before one of these (default: none)", []);
}

export interface AdapterFlags {
  readonly adapter?: string;
}

export function addAdapterOption(command: Command): Command {
  return command.option("--adapter <folder>", "write with this adapter of the model, a folder as PEFT writes it");
}

/** The adapter for all that is written, under a name that no model has. */
export function adaptersOf({ adapter }: AdapterFlags): { readonly adapters?: readonly AdapterFolder[] } {
  return adapter === undefined ? {} : { adapters: [{ id: `adapter ${adapter}`, folder: adapter }] };
}

/** The model that all is written with: the adapter where one was given. */
export function writerOf(service: OpenTextService, { adapter }: AdapterFlags): ServedModel {
  const [base, adapted] = service.models();
  return adapter === undefined ? base! : adapted!;
}

export function numberIn(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!(value >= low && value <= high) || text.trim() === "") {
      throw new InvalidArgumentError(`expected a number from ${low} to ${high}, got "${text}"`);
    }
    return value;
  };
}

/** What a request to a model takes of the options. */
export function samplingOf({ seed, stop, maxTokens, ...given }: SamplingFlags, { defaults }: ServedModel) {
  const { temperature, topP, topK } = given;
  return {
    sampling: samplingRequest({ temperature, topP, topK }, { temperature: defaultTemperature, ...defaults }),
    seed,
    stop,
    ...(maxTokens !== undefined && { maxTokens }),
  };
}

/** What is to be said of how a model's makers mean it to write. */
export function aboutDefaults({ defaults = {}, unfollowed = [] }: ServedModel): string[] {
  const values = Object.entries(defaults).map(([name, value]) => `${name} ${value}`);
  return [
    ...(values.length > 0 ? [`The model's own defaults (generation_config.json): ${values.join(", ")}.`] : []),
    ...(unfollowed.length > 0 ? [`Not followed of generation_config.json: ${unfollowed.join(", ")}.`] : []),
  ];
}

/** Models by the last part of their path, or by their name on the hub where there is no such path. */
export function modelId(name: string): string {
  const isOnHub = /^[\w.-]+\/[\w.-]+$/.test(name) && !existsSync(name);
  return isOnHub ? name : basename(name).replace(/\.gguf$/, "");
}

/** Opens a model in a process of its own. */
export async function openModel(
  name: string,
  flags: ModelFlags,
  more: Partial<TextProcessOptions> = {},
): Promise<TextProcess> {
  return openTextProcess(await optionsOf(name, flags, more));
}

/** Opens a model in this process, for what needs the engine itself. */
export async function openModelHere(
  name: string,
  { cache, ...flags }: ModelFlags,
  more: Partial<TextProcessOptions> = {},
): Promise<LocalTextService> {
  const options = await optionsOf(name, flags, more);
  return openTextHere({ ...options, ...(cache !== undefined && { cache: cachePolicies[cache] }) });
}

async function optionsOf(
  name: string,
  flags: ModelFlags,
  more: Partial<TextProcessOptions>,
): Promise<TextProcessOptions> {
  const { weights, context } = flags;
  return {
    path: await resolveModel(name),
    id: modelId(name),
    weights,
    ...(context !== undefined && { contextLength: context }),
    ...(await speculationOf(flags)),
    ...more,
  };
}

/** A model as one that reads documents, sampling as the flags say. */
export function readingModelOf(service: LocalTextService, flags: SamplingFlags): ReadingModel {
  const [served] = service.models();
  const { seed, stop } = flags;
  return readingModel(service, { sampling: samplingOf(flags, served!).sampling, seed, stop });
}
