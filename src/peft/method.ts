/** @file What a tuning method is: which parameters are trained, where new ones enter the model, how they are stored. */

import type { z } from "zod";
import type { HostTensor } from "../base/host-tensor.js";
import type { LanguageModel, Parameters } from "../nn/index.js";

/** A method's configuration with the model it is for. */
export interface Applied<Config> {
  readonly base: LanguageModel;
  readonly config: Config;
  /** Last part of the names of the linear maps that it attaches to: `q_proj`. Empty for methods that attach to none. */
  readonly targets: readonly string[];
}

export interface StartOptions {
  /** Seed of random starts. Default 0. */
  readonly seed?: number;
  /** Token ids whose embeddings virtual tokens start from, repeated or cut to their number. Default: random tokens. */
  readonly promptIds?: ArrayLike<number>;
}

/** How trained values go into the base's weights; a string says why they cannot. */
export interface Merging<Config> {
  /** In place: the base alone then computes what base and adapter did. */
  merge(applied: Applied<Config>, parameters: Parameters): void;
  /** In place: the base's weights return to within a rounding of what they were. */
  readonly unmerge: ((applied: Applied<Config>, parameters: Parameters) => void) | string;
}

/** How an adapter lies in an adapter folder. */
export interface AdapterFormat<Config> {
  /** Value of `peft_type` in adapter_config.json. A type that PEFT does not know is read by Tessera alone. */
  readonly peftType: string;
  /** Keys of adapter_config.json that tell the method from others of its type. */
  readonly marks?: Readonly<Record<string, boolean>>;
  /** Keys of the method's config that are not written: they matter in training only. */
  readonly omit?: readonly string[];
  /** Keys that PEFT needs besides the method's config. */
  keys?(applied: Applied<Config>, trained: readonly string[]): Readonly<Record<string, unknown>>;
  /** Name of a parameter in the file. Default: after `base_model.model.`. */
  keyOf?(name: string): string;
  /** The config and values of parameters as they are stored, where that is another form than the trained one. */
  toStored?(applied: Applied<Config>, parameters: Parameters): { config: Config; parameters: Parameters };
  /** Own parameters by name from the tensors of a file, where one is not the other. */
  fromFile?(applied: Applied<Config>, tensors: Parameters): Parameters;
  /** The tensors of a file from own parameters, where one is not the other. */
  toFile?(applied: Applied<Config>, parameters: Parameters): Parameters;
}

/** One method: one file and one registry line. `Config` is what it reads of adapter_config.json. */
export interface TuningMethod<Config = never> {
  readonly name: string;
  readonly schema: z.ZodObject<z.ZodRawShape> & z.ZodType<Config>;
  /** Linear maps to attach to when nothing else is said; absent for methods that attach to none. */
  targets?(base: LanguageModel): readonly string[];
  /** Parameters of the base that are trained, by full name. @throws ConfigError when the model has none of them. */
  select?(base: LanguageModel, config: Config): readonly string[];
  /** The model with the method's own parameters. At initial values it computes what the base does, unless `isInput`. */
  attach?(applied: Applied<Config>): LanguageModel;
  /** Whether an own parameter stays as it starts. Default: all are trained. */
  isFrozen?(name: string): boolean;
  /** Starting values that follow from the base's, by name; other parameters start as their specs say. */
  start?(applied: Applied<Config>, parameters: Parameters, options: StartOptions): ReadonlyMap<string, HostTensor>;
  /**
   * Factor on `lora_B lora_A` where that product is all that an adapter adds to a weight, so that engines can be fed it
   * beside others'; absent for methods that compute something else.
   */
  lowRankScale?(config: Config): number;
  /** Positions before every text whose tokens are placeholders. Default 0. */
  numVirtualTokens?(config: Config): number;
  readonly merging: Merging<Config> | string;
  readonly format: AdapterFormat<Config>;
}
