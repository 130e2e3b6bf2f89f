/**
 * @file llama2.c checkpoints, versions 0 (legacy), 1 (float32) and 2 (int8), as Hugging Face Llama tensors.
 *
 * The layout follows `export.py` and `run.c` of https://github.com/karpathy/llama2.c. Letters: V vocabulary, D dim, F hidden_dim,
 * L layers, KV = D * n_kv_heads / n_heads.
 */

import { allocate } from "../base/dtype.js";
import { CheckpointError } from "../base/errors.js";
import { type HostTensor, hostTensor, sizeOf } from "../base/host-tensor.js";
import { ByteFile } from "./byte-file.js";
import { halvesFromPairs, reorderRows } from "./rows.js";
import { bytesOf, lookUp, type ModelTensors } from "./tensor-source.js";

/** "ak42" */
const magic = 0x616b3432;

/** Keys of a Hugging Face `config.json`. The last four are not in the file but fixed in llama2.c. */
export interface Llama2cConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly vocab_size: number;
  readonly max_position_embeddings: number;
  readonly tie_word_embeddings: boolean;
  readonly model_type: "llama";
  readonly hidden_act: "silu";
  readonly rms_norm_eps: 1e-5;
  readonly rope_theta: 10000;
  readonly bos_token_id: 1;
  /** Its texts follow one another with nothing but the start between them, and its program stops there. */
  readonly eos_token_id: 1;
}

interface Header {
  readonly version: number;
  readonly config: Llama2cConfig;
  /** Where the weights start. */
  readonly bytes: number;
  /** Weights per int8 scale, in version 2. */
  readonly groupSize: number;
}

/** A run of equally shaped tensors: one, or one per layer. */
interface Block {
  /** Where `{}` stands for the layer. `null`: not a weight, skipped. */
  readonly name: string | null;
  readonly shape: readonly number[];
  readonly count: number;
  readonly isQuantized: boolean;
  /** Heads whose rows are reordered. */
  readonly ropeHeads?: number;
}

/** An open checkpoint. */
export interface OpenLlama2c extends ModelTensors {
  readonly config: Llama2cConfig;
}

/**
 * Reads a llama2.c checkpoint, tensor by tensor.
 * @throws as `openLlama2c` does.
 */
export async function readLlama2c(path: string): Promise<{ config: Llama2cConfig; tensors: Map<string, HostTensor> }> {
  await using checkpoint = await openLlama2c(path);
  const tensors = new Map<string, HostTensor>();
  for (const name of checkpoint.names) tensors.set(name, await checkpoint.readFloat32(name));
  return { config: checkpoint.config, tensors };
}

/**
 * Opens a llama2.c checkpoint. Int8 weights are dequantised when they are read. `lm_head.weight` exists only when the file does not share it
 * with the embedding. Rows of q_proj and k_proj are reordered, see `halvesFromPairs`.
 * @throws CheckpointError when the header is not plausible or the file's size is not exactly what the header implies; nothing large is
 * allocated before that is known.
 */
export async function openLlama2c(path: string): Promise<OpenLlama2c> {
  const file = await ByteFile.open(path);
  try {
    return tensorsOf(file, await readHeader(file));
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

function tensorsOf(file: ByteFile, header: Header): OpenLlama2c {
  const { config, groupSize } = header;
  const blocks = layout(header);
  checkSize(file, header, blocks);
  const stored = new Map<string, { readonly block: Block; readonly offset: number }>();
  let offset = header.bytes;
  for (const block of blocks) {
    const bytes = storedBytes(block, groupSize);
    for (let layer = 0; layer < block.count; layer++, offset += bytes) {
      if (block.name !== null) stored.set(block.name.replace("{}", String(layer)), { block, offset });
    }
  }
  return {
    config,
    names: new Set(stored.keys()),
    readFloat32: async (name) => {
      const { block, offset } = lookUp(stored, name, file.path, "tensor");
      const values = await readValues(file, offset, block, groupSize);
      const { shape, ropeHeads } = block;
      if (!ropeHeads) return hostTensor("float32", shape, values);
      const columns = shape[1]!;
      return hostTensor("float32", shape, reorderRows(values, columns, halvesFromPairs(shape[0]! / ropeHeads)));
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function readValues(file: ByteFile, offset: number, block: Block, groupSize: number): Promise<Float32Array> {
  const out = allocate("float32", sizeOf(block.shape));
  if (!block.isQuantized) {
    await file.readInto(offset, bytesOf(out));
    return out;
  }
  const values = allocate("int8", out.length);
  const scales = allocate("float32", out.length / groupSize);
  await file.readInto(offset, bytesOf(values));
  await file.readInto(offset + values.length, bytesOf(scales));
  for (let group = 0, i = 0; group < scales.length; group++) {
    for (const end = i + groupSize; i < end; i++) out[i] = values[i]! * scales[group]!;
  }
  return out;
}

/** The weights in the order of the file. */
function layout({ version, config }: Header): Block[] {
  const { hidden_size: D, intermediate_size: F, vocab_size: V, num_hidden_layers: L } = config;
  const { num_attention_heads: H, num_key_value_heads: G } = config;
  const KV = (D / H) * G;
  const isQuantized = version === 2;
  const norm = (name: string): Block => ({
    name: `model.layers.{}.${name}.weight`,
    shape: [D],
    count: L,
    isQuantized: false,
  });
  const linear = (name: string, shape: number[], ropeHeads = 0): Block => {
    return { name: `model.layers.{}.${name}.weight`, shape, count: L, isQuantized, ropeHeads };
  };
  const table = (name: string): Block => ({ name, shape: [V, D], count: 1, isQuantized });
  const attentionNorm = norm("input_layernorm");
  const mlpNorm = norm("post_attention_layernorm");
  const finalNorm: Block = { name: "model.norm.weight", shape: [D], count: 1, isQuantized: false };
  const embedding = table("model.embed_tokens.weight");
  const attention = [
    linear("self_attn.q_proj", [D, D], H),
    linear("self_attn.k_proj", [KV, D], G),
    linear("self_attn.v_proj", [KV, D]),
    linear("self_attn.o_proj", [D, D]),
  ];
  const mlp = [linear("mlp.gate_proj", [F, D]), linear("mlp.down_proj", [D, F]), linear("mlp.up_proj", [F, D])];
  const head = config.tie_word_embeddings ? [] : [table("lm_head.weight")];
  if (version > 0) return [attentionNorm, mlpNorm, finalNorm, embedding, ...attention, ...mlp, ...head];
  // cosines and sines of the rotary embedding, which follow from the position
  const shape = [config.max_position_embeddings, D / H / 2];
  const frequencies: Block = { name: null, shape, count: 2, isQuantized: false };
  return [embedding, attentionNorm, ...attention, mlpNorm, ...mlp, finalNorm, frequencies, ...head];
}

/** Bytes of one tensor of the block in the file. */
function storedBytes({ shape, isQuantized }: Block, groupSize: number): number {
  const size = sizeOf(shape);
  return isQuantized ? size + 4 * (size / groupSize) : 4 * size;
}

function checkSize(file: ByteFile, header: Header, blocks: readonly Block[]): void {
  const { groupSize } = header;
  const split = blocks.find(({ shape, isQuantized }) => isQuantized && sizeOf(shape) % groupSize !== 0);
  if (split !== undefined) {
    throw new CheckpointError(
      `${file.path}: expected groups that divide every weight, found ${groupSize} for ${split.name} of shape [${split.shape}]`,
    );
  }
  const expected = blocks.reduce((sum, block) => sum + block.count * storedBytes(block, groupSize), header.bytes);
  if (expected !== file.bytes) {
    throw new CheckpointError(
      `${file.path}: a llama2.c version ${header.version} file with ${describe(header.config)} has ${expected} bytes, this one has ${file.bytes}; it is not complete or not such a file`,
    );
  }
}

async function readHeader(file: ByteFile): Promise<Header> {
  const view = new DataView(new ArrayBuffer(256));
  await file.readInto(0, new Uint8Array(view.buffer, 0, Math.min(256, file.bytes)));
  const isLegacy = view.getUint32(0, true) !== magic;
  const version = isLegacy ? 0 : view.getInt32(4, true);
  const bytes = isLegacy ? 28 : 256;
  if (version > 2 || version < 0 || (version === 0 && !isLegacy)) {
    throw new CheckpointError(`${file.path}: expected a llama2.c file of version 1 or 2, found version ${version}`);
  }
  if (file.bytes < bytes) {
    throw new CheckpointError(`${file.path}: a llama2.c header has ${bytes} bytes, the file has ${file.bytes}`);
  }
  const sizes = Array.from({ length: 7 }, (_, i) => view.getInt32((isLegacy ? 0 : 8) + 4 * i, true));
  // without a flag, a negative vocabulary says that the classifier has weights of its own
  const isShared = isLegacy ? sizes[5]! > 0 : readFlag(view.getUint8(36), file.path);
  if (isLegacy) sizes[5] = Math.abs(sizes[5]!);
  const groupSize = version === 2 ? view.getInt32(37, true) : 1;
  const config = configOf(sizes, isShared);
  checkConfig(config, groupSize, file.path);
  return { version, config, bytes, groupSize };
}

function readFlag(value: number, path: string): boolean {
  if (value > 1) throw new CheckpointError(`${path}: expected 0 or 1 as shared-classifier flag, found ${value}`);
  return value === 1;
}

function configOf(sizes: readonly number[], isShared: boolean): Llama2cConfig {
  const [dim = 0, hiddenDim = 0, numLayers = 0, numHeads = 0, numKvHeads = 0, vocabSize = 0, seqLen = 0] = sizes;
  return {
    hidden_size: dim,
    intermediate_size: hiddenDim,
    num_hidden_layers: numLayers,
    num_attention_heads: numHeads,
    num_key_value_heads: numKvHeads,
    vocab_size: vocabSize,
    max_position_embeddings: seqLen,
    tie_word_embeddings: isShared,
    model_type: "llama",
    hidden_act: "silu",
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    bos_token_id: 1,
    eos_token_id: 1,
  };
}

function checkConfig(config: Llama2cConfig, groupSize: number, path: string): void {
  const { hidden_size: D, num_attention_heads: H, num_key_value_heads: G } = config;
  const sizes = Object.values(config).filter((value) => typeof value === "number");
  if (sizes.some((size) => size <= 0) || groupSize <= 0 || D % (2 * H) !== 0 || H % G !== 0) {
    throw new CheckpointError(
      `${path}: expected a llama2.c header with positive sizes, an even number of elements per head and heads in equal groups; found ${describe(config)}, group size ${groupSize}`,
    );
  }
}

function describe(config: Llama2cConfig): string {
  return [
    `dim ${config.hidden_size}`,
    `hidden_dim ${config.intermediate_size}`,
    `n_layers ${config.num_hidden_layers}`,
    `n_heads ${config.num_attention_heads}`,
    `n_kv_heads ${config.num_key_value_heads}`,
    `vocab_size ${config.vocab_size}`,
    `max_seq_len ${config.max_position_embeddings}`,
    config.tie_word_embeddings ? "shared classifier" : "own classifier",
  ].join(", ");
}
