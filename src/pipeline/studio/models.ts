/** @file The models of a Studio from the inside: their tensors, pictures of weights and of attention. */

import { basename } from "node:path";
import { messageOf } from "../../base/errors.js";
import { byteSize, type HostTensor } from "../../base/host-tensor.js";
import {
  type Float32Source,
  type ModelHeader,
  onlyGguf,
  openModelSource,
  readAdapter,
  readGguf,
  readModelHeader,
  resolveModel,
  type StoredTensor,
} from "../../checkpoint/index.js";
import { encoderDecoders, encoders, modelFromConfig } from "../../models/index.js";
import { forward } from "../../plan/index.js";
import { loadModel } from "../../presets/index.js";
import { Runtime } from "../../runtime/index.js";
import { Refusal } from "../../server/refusal.js";
import type { LiveState } from "../../server/studio/live-state.js";
import type { ModelsService } from "../../server/studio/service.js";
import type {
  AttentionOffer,
  AttentionPicture,
  AttentionRequest,
  ModelFacts,
  WeightPicture,
} from "../../server/studio/wire/index.js";
import type { Tokenizer } from "../../tokenizers/index.js";
import { countOf, groupsOf, partOf, partsOf } from "./model-tensors.js";
import { weightPicture } from "./weight-picture.js";
import type { WriterSource, Writers } from "./writers.js";

/** A picture of more is no picture any more. */
const MOST_TOKENS = 64;

/** Weights that are read as float32 beside whatever else runs. */
const MOST_BYTES = 4 * 2 ** 30;

/** The attention that was computed last: layers and heads of it are looked at one after the other. */
interface Attention {
  readonly tokens: readonly string[];
  readonly layers: readonly HostTensor[];
}

export class Models implements ModelsService {
  readonly #live: LiveState;
  readonly #writers: Writers;
  #last: Promise<Attention> | undefined;
  #lastOf = "";

  constructor(live: LiveState, writers: Writers) {
    this.#live = live;
    this.#writers = writers;
  }

  async facts(id: string): Promise<ModelFacts> {
    const source = this.#source(id);
    const header = await readModelHeader(await resolveModel(source.model));
    const groups = groupsOf(header.tensors, await adapterTensors(source));
    const parts = partsOf(groups);
    return {
      id,
      label: source.label,
      facts: factsOf(header, source),
      numParameters: parts.reduce((sum, { numParameters }) => sum + numParameters, 0),
      bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
      parts,
      groups,
      attention: offerOf(header, source),
    };
  }

  async weights(id: string, name: string): Promise<WeightPicture> {
    const source = this.#source(id);
    const path = await resolveModel(source.model);
    const header = await readModelHeader(path);
    const ofAdapter = source.adapter === undefined ? undefined : (await readAdapter(source.adapter)).tensors.get(name);
    if (ofAdapter) return weightPicture(name, ofAdapter);
    const stored = header.tensors.get(name);
    if (!stored) throw new Refusal(404, `${source.label} has no tensor ${JSON.stringify(name)}`, "name");
    if (4 * countOf(stored.shape) > MOST_BYTES) throw new Refusal(400, `${name} is too large to be read as a picture`);
    // a GGUF file by its own names, as the table has them
    await using open = header.container === "GGUF" ? await openGguf(path) : await openModelSource(path);
    return await weightPicture(name, await open.readFloat32(name));
  }

  async attention({ id, text, layer }: AttentionRequest): Promise<AttentionPicture> {
    const of = JSON.stringify([this.#source(id).model, text]);
    if (this.#lastOf !== of) {
      this.#lastOf = of;
      this.#last = this.#attend(id, text);
      // one that failed is tried again
      this.#last.catch(() => {
        if (this.#lastOf === of) this.#lastOf = "";
      });
    }
    const { tokens, layers } = await this.#last!;
    const shown = layers[layer];
    if (!shown) throw new Refusal(400, `layer: the model has layers 0 to ${layers.length - 1}, not ${layer}`, "layer");
    const size = tokens.length ** 2;
    const values = Array.from(shown.data as Float32Array, (value) => Math.round(1e4 * value) / 1e4);
    const heads = Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
    return { layer, tokens, heads };
  }

  async #attend(id: string, text: string): Promise<Attention> {
    const source = this.#source(id);
    const path = await resolveModel(source.model);
    const { isOffered, reason } = offerOf(await readModelHeader(path), source);
    if (!isOffered) throw new Refusal(400, `attention of ${source.label} is not shown: ${reason}`);
    const work = `attention ${id}`;
    this.#live.showWork({ id: work, label: `Reading ${source.label} to look at its attention` });
    try {
      const { model, parameters, tokenizer } = await loadModel(path);
      const { ids, tokens } = tokensOf(tokenizer, text);
      const runtime = await Runtime.open();
      try {
        const { attention = [] } = await forward(runtime, model, parameters, { ids: [ids] }, { attention: true });
        return { tokens, layers: attention };
      } finally {
        await runtime.close();
      }
    } finally {
      this.#live.endWork(work);
    }
  }

  #source(id: string): WriterSource {
    const source = this.#writers.sources.find((one) => one.id === id);
    if (source) return source;
    const known = this.#writers.sources.map((one) => one.id).join(", ");
    throw new Refusal(404, `there is no model ${JSON.stringify(id)} here; there is ${known || "none yet"}`, "id");
  }
}

const openGguf = async (path: string): Promise<Float32Source & AsyncDisposable> =>
  readGguf(path.endsWith(".gguf") ? path : await onlyGguf(path));

async function adapterTensors({ adapter }: WriterSource): Promise<Map<string, StoredTensor>> {
  if (adapter === undefined) return new Map();
  const { tensors } = await readAdapter(adapter);
  return new Map(
    [...tensors].map(([name, { dtype, shape }]) => [name, { type: dtype, shape, bytes: byteSize(dtype, shape) }]),
  );
}

/** Keys of config.json that say most about a decoder, an encoder or GPT-2, and what they are called here. */
const configFacts: readonly (readonly [name: string, ...keys: string[]])[] = [
  ["layers", "num_hidden_layers", "n_layer", "n_layers", "num_layers"],
  ["width", "hidden_size", "n_embd", "d_model", "dim"],
  ["width inside MLPs", "intermediate_size", "n_inner", "d_ff", "hidden_dim"],
  ["attention heads", "num_attention_heads", "n_head", "n_heads", "num_heads"],
  ["heads of keys and values", "num_key_value_heads"],
  ["vocabulary", "vocab_size"],
  ["longest context", "max_position_embeddings", "n_positions"],
  ["activation", "hidden_act", "hidden_activation", "activation_function"],
];

function factsOf(
  { container, config, files, ggufMetadata, tensors }: ModelHeader,
  source: WriterSource,
): [string, string][] {
  const known = configFacts.flatMap(([name, ...keys]): [string, string][] => {
    const value = keys.map((key) => config[key]).find((one) => one !== undefined && one !== null);
    if (value === undefined) return [];
    return [[name, typeof value === "number" ? value.toLocaleString("en-US") : `${value as string}`]];
  });
  const [tokenizer] = files.keys();
  return [
    ["family", `${(config.model_type as string | undefined) ?? "not said"}`],
    ...known,
    ...(isEncoder(config) ? [] : [["head", headOf(tensors)] as [string, string]]),
    ["stored as", container],
    ["tokenizer", tokenizer ?? (ggufMetadata ? "inside the file" : "none")],
    ...(source.adapter === undefined ? [] : [["adapter", basename(source.adapter)] as [string, string]]),
  ];
}

const isEncoder = ({ model_type: type }: ModelHeader["config"]): boolean =>
  Object.hasOwn({ ...encoders, ...encoderDecoders }, String(type));

const headOf = (tensors: ModelHeader["tensors"]): string =>
  [...tensors.keys()].some((name) => partOf(name) === "head") ? "a matrix of its own" : "the embedding, read backwards";

function offerOf({ config, tensors }: ModelHeader, { adapter }: WriterSource): AttentionOffer {
  const not = (reason: string): AttentionOffer => ({ isOffered: false, reason, numLayers: 0 });
  if (adapter !== undefined) return not("it is shown for whole models; choose the one that this adapter changes");
  if (isEncoder(config)) return not("it is shown for models that write; this one reads");
  const bytes = [...tensors.values()].reduce((sum, { shape }) => sum + 4 * countOf(shape), 0);
  if (bytes > MOST_BYTES) return not(`its weights take ${(bytes / 2 ** 30).toFixed(1)} GB as float32, more than 4`);
  try {
    const { caches } = modelFromConfig(config);
    return { isOffered: true, numLayers: caches.filter((cache) => cache !== undefined).length };
  } catch (thrown) {
    return not(messageOf(thrown));
  }
}

/** Ids as the model expects them around one text, each with its own stretch of it. */
function tokensOf(tokenizer: Tokenizer, text: string): { ids: Int32Array; tokens: string[] } {
  const { prefix } = tokenizer.template;
  const { ids, offsets } = tokenizer.encodeWithOffsets(text);
  const all = Int32Array.from([...prefix, ...ids]);
  if (ids.length === 0 || all.length > MOST_TOKENS) {
    const bounds = `1 to ${MOST_TOKENS - prefix.length} tokens`;
    throw new Refusal(
      400,
      `text: give one of ${bounds}, this has ${ids.length}; ${ids.length ? "shorten it" : "write a few words"}`,
      "text",
    );
  }
  const special = prefix.map((id) => tokenizer.token(id) ?? `${id}`);
  const own = Array.from(
    ids,
    (id, i) => text.slice(offsets[2 * i], offsets[2 * i + 1]) || (tokenizer.token(id) ?? `${id}`),
  );
  return { ids: all, tokens: [...special, ...own] };
}
