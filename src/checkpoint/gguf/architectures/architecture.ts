/** @file What is known of a model architecture of llama.cpp: how its tensors and metadata are called in Hugging Face's models, and how they differ. */

import type { HostTensor } from "../../../base/host-tensor.js";
import type { JsonValue } from "../../json.js";
import type { GgufKeys } from "../keys.js";
import type { GgufValue } from "../metadata.js";

export type HfConfig = Readonly<Record<string, JsonValue>>;

/** What GGUF stores in another form than Hugging Face. Both directions give a tensor of its own or the same one. */
export interface Change {
  /** Whether matrices change their shape from [a, b] to [b, a]. */
  readonly transposes?: boolean;
  toGguf(tensor: HostTensor, config: HfConfig): HostTensor;
  fromGguf(tensor: HostTensor, config: HfConfig): HostTensor;
}

/** A tensor's two names, without `.weight` or `.bias`; `{}` stands for the number of the layer. */
export interface NameRule {
  readonly gguf: string;
  readonly hf: string;
  /** Applied to the weight and, as a matrix of one column, to the bias. */
  readonly change?: Change;
  /** Stored as F32 whatever type the file has, because llama.cpp computes with it so. */
  readonly isFloat32?: boolean;
}

/** The other tensors of a GGUF file, for architectures whose config is partly stored in them. */
export interface ExtraTensors {
  readonly names: readonly string[];
  read(name: string): Promise<Float32Array>;
  /** Shape of any tensor of the file. */
  shapeOf(name: string): readonly number[] | undefined;
}

export interface Architecture {
  /** `general.architecture`. */
  readonly name: string;
  /** `model_type` of the configs that it stands for; the first is what is read. */
  readonly modelTypes: readonly [string, ...string[]];
  readonly rules: readonly NameRule[];
  /** Begins the names of some checkpoints of this family and is missing in others. */
  readonly prefix?: string;
  /** Tensors of Hugging Face's models that GGUF has no place for; they are left out and reported. */
  readonly omitted?: RegExp;
  /** Tensors of a GGUF file that belong to the config. */
  readonly extra?: readonly string[];
  /** Keys of a Hugging Face config, `model_type` included. */
  toConfig(keys: GgufKeys, extra: ExtraTensors): Promise<Record<string, JsonValue>> | Record<string, JsonValue>;
  /** Metadata keys after the architecture's name and a dot, and tensors that belong to the config. */
  fromConfig(config: HfConfig): { keys: Record<string, GgufValue>; extra?: ReadonlyMap<string, HostTensor> };
}
