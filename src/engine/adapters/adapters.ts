/** @file The adapters of an engine by name: added and removed while requests run. */

import { ConfigError } from "../../base/errors.js";
import type { AdaptedLinears } from "./adapted-linears.js";
import { type AdapterUpdates, type EngineAdapter, engineAdapter, noAdapter } from "./adapter.js";
import { type AdapterFeeds, AdapterRows } from "./adapter-rows.js";

export interface AdapterOptions {
  /** Last parts of the names of the linear maps that adapters may change, such as `q_proj`; fewer cost less. Default: all. */
  readonly targets?: readonly string[];
  /** Largest rank of an adapter. Default 64. */
  readonly maxRank?: number;
}

export interface AdapterStatus {
  readonly name: string;
  readonly rank: number;
  /** Bytes of its matrices. */
  readonly bytes: number;
}

export class Adapters {
  readonly #adapted: AdaptedLinears;
  readonly #maxRank: number;
  readonly #none: EngineAdapter;
  readonly #rows = new AdapterRows();
  readonly #byName = new Map<string, EngineAdapter>();
  /** Removed, but in use. */
  readonly #leaving = new Map<EngineAdapter, () => void>();
  #lastSerial = 0;

  /** @throws ConfigError when a target is no linear map of the model, or `maxRank` is not a whole number from 1. */
  constructor(adapted: AdaptedLinears, { maxRank = 64 }: AdapterOptions) {
    if (!Number.isInteger(maxRank) || maxRank < 1)
      throw new ConfigError(`adapters: maxRank must be a whole number from 1, got ${maxRank}`);
    const names = [...adapted.linears.keys()];
    const missing = adapted.targets?.find((target) => !names.some((name) => name.endsWith(`.${target}`)));
    if (missing !== undefined)
      throw new ConfigError(`adapters: no linear map of this model is called ${missing} and takes adapters`);
    this.#adapted = adapted;
    this.#maxRank = maxRank;
    this.#none = noAdapter(adapted.linears);
  }

  get status(): AdapterStatus[] {
    return [...this.#byName.values()].map(({ name, rank, bytes }) => ({ name, rank, bytes }));
  }

  add(name: string, updates: AdapterUpdates): void {
    if (name === "") throw new ConfigError("an adapter needs a name");
    if (this.#byName.has(name)) throw new ConfigError(`there is an adapter "${name}" already; remove it first`);
    const serial = this.#lastSerial + 1;
    const place = { adapted: this.#adapted, none: this.#none, maxRank: this.#maxRank };
    this.#byName.set(name, engineAdapter({ name, serial, updates }, place));
    this.#lastSerial = serial;
  }

  /** Nobody gets it any more; the promise resolves in `settle`, once those who have it are done. */
  remove(name: string): Promise<void> {
    const adapter = this.get(name);
    this.#byName.delete(name);
    return new Promise((resolve) => this.#leaving.set(adapter, resolve));
  }

  /** @throws ConfigError naming those there are. */
  get(name: string): EngineAdapter {
    const adapter = this.#byName.get(name);
    if (adapter) return adapter;
    const known = [...this.#byName.keys()].join(", ");
    throw new ConfigError(`there is no adapter "${name}"; ${known === "" ? "none was added" : `there is ${known}`}`);
  }

  /** Lets go of removed adapters that nobody has; gives the keys of feeds that will not come again. */
  settle(sequences: readonly { readonly adapter: EngineAdapter | undefined }[]): string[] {
    if (this.#leaving.size === 0) return [];
    const inUse = new Set(sequences.map(({ adapter }) => adapter));
    const gone = [...this.#leaving].filter(([adapter]) => !inUse.has(adapter));
    for (const [adapter, resolve] of gone) {
      this.#leaving.delete(adapter);
      resolve();
    }
    return gone.map(([adapter]) => keyOf(adapter));
  }

  /** What a run is fed, for the adapter of each sequence. One that all have is read where it lies. */
  feedsOf(batch: readonly (EngineAdapter | undefined)[]): AdapterFeeds {
    const adapters = batch.map((adapter) => adapter ?? this.#none);
    const [first] = adapters;
    if (adapters.some((adapter) => adapter !== first)) return this.#rows.feedsOf(adapters);
    return { feeds: first!.feeds, key: keyOf(first!) };
  }
}

const keyOf = ({ serial }: EngineAdapter): string => `adapter ${serial}`;
