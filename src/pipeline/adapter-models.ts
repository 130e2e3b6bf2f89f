/** @file Adapters as models of a text service: read from folders, listed, added and removed while it runs. */

import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { messageOf, TesseraError } from "../base/errors.js";
import type { AdapterOptions, AdapterUpdates, Engine } from "../engine/index.js";
import type { LanguageModel } from "../nn/index.js";
import { loadAdapter, lowRankUpdates } from "../peft/index.js";
import { ApiError } from "../server/openai/errors.js";
import type { LoadAdapterRequest, ServedModel } from "../server/openai/service.js";

/** An adapter folder as PEFT writes it, under the name that requests give as their model. */
export interface AdapterFolder {
  readonly id: string;
  readonly folder: string;
}

export interface AdapterModelOptions {
  readonly adapters?: readonly AdapterFolder[];
  /** Lets adapters within this folder come and go while the service runs. Default: none may. */
  readonly adapterFolder?: string;
}

export interface ReadAdapter {
  readonly id: string;
  readonly updates: AdapterUpdates;
}

/** @throws CheckpointError or UnsupportedError when a folder holds no adapter of this model that may be chosen per request. */
export function readAdapters(model: LanguageModel, { adapters = [] }: AdapterModelOptions): Promise<ReadAdapter[]> {
  return Promise.all(adapters.map(async ({ id, folder }) => ({ id, updates: await readUpdates(model, folder) })));
}

async function readUpdates(model: LanguageModel, folder: string): Promise<AdapterUpdates> {
  const { adapter, parameters } = await loadAdapter(folder, model);
  return lowRankUpdates(adapter, parameters);
}

/** What an engine must take: everything where more may come, else what these change; nothing where there are none. */
export function engineAdapters(
  read: readonly ReadAdapter[],
  { adapterFolder }: AdapterModelOptions,
): { readonly adapters?: AdapterOptions } {
  if (adapterFolder === undefined && read.length === 0) return {};
  // nobody else sends these, so their rank is no surprise
  const ranks = read.flatMap(({ updates }) => [...updates.values()].map(({ down }) => down.shape[0]!));
  const maxRank = Math.max(64, ...ranks);
  if (adapterFolder !== undefined) return { adapters: { maxRank } };
  const names = read.flatMap(({ updates }) => [...updates.keys()]);
  const targets = new Set(names.map((name) => name.slice(name.lastIndexOf(".") + 1)));
  return { adapters: { maxRank, targets: [...targets] } };
}

export class AdapterModels {
  readonly #model: LanguageModel;
  readonly #engine: Engine;
  readonly #folder: string | undefined;
  readonly #base: ServedModel;
  readonly #taken: readonly string[];
  readonly #listed = new Map<string, ServedModel>();

  /** @param taken names of other models. */
  constructor(
    model: LanguageModel,
    engine: Engine,
    read: readonly ReadAdapter[],
    { base, taken, adapterFolder }: { base: ServedModel; taken: readonly string[] } & AdapterModelOptions,
  ) {
    this.#model = model;
    this.#engine = engine;
    this.#folder = adapterFolder;
    this.#base = base;
    this.#taken = taken;
    for (const { id, updates } of read) this.#add(id, updates);
  }

  get models(): ServedModel[] {
    return [...this.#listed.values()];
  }

  has(id: string): boolean {
    return this.#listed.has(id);
  }

  /** @throws ApiError for a name that is taken, or a folder that may not be read or holds no adapter of this model. */
  async load({ name, path }: LoadAdapterRequest): Promise<ServedModel> {
    const folder = await this.#within(path);
    let updates: AdapterUpdates;
    try {
      updates = await readUpdates(this.#model, folder);
    } catch (thrown) {
      if (!(thrown instanceof TesseraError)) throw thrown;
      // where the folder lies on this machine is not the client's business
      throw wrongAdapter(messageOf(thrown).replaceAll(folder, path));
    }
    return this.#add(name, updates);
  }

  /** Requests that have it go on to their end. @throws ApiError 404 when there is none of that name. */
  unload(name: string): void {
    if (!this.#listed.delete(name)) {
      const known = [...this.#listed.keys()].join(", ");
      throw new ApiError(
        404,
        `there is no adapter ${JSON.stringify(name)}; ${known === "" ? "none is loaded" : `there is ${known}`}`,
        { code: "adapter_not_found", param: "lora_name" },
      );
    }
    void this.#engine.removeAdapter(name);
  }

  #add(id: string, updates: AdapterUpdates): ServedModel {
    if (this.#taken.includes(id) || this.#listed.has(id)) {
      throw new ApiError(
        400,
        `a model ${JSON.stringify(id)} is served already; unload it first, or choose another name`,
        {
          code: "adapter_exists",
          param: "lora_name",
        },
      );
    }
    this.#engine.addAdapter(id, updates);
    const served = { ...this.#base, id, created: Math.floor(Date.now() / 1000), parent: this.#base.id };
    this.#listed.set(id, served);
    return served;
  }

  /** A folder by its path from the one that adapters may be in; symbolic links lead nowhere else. */
  async #within(path: string): Promise<string> {
    const root = await realpath(this.#folder!);
    const folder = await realpath(resolve(root, path)).catch(() => undefined);
    const inside = relative(root, folder ?? resolve(root, path));
    if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw wrongAdapter(`${JSON.stringify(path)} lies outside the folder that adapters may be loaded from`);
    }
    if (folder === undefined) throw wrongAdapter(`there is no folder ${JSON.stringify(path)}`);
    return folder;
  }
}

function wrongAdapter(message: string): ApiError {
  return new ApiError(400, `lora_path: ${message}`, { code: "invalid_adapter", param: "lora_path" });
}
