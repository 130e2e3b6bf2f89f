/** @file The weights that a tuning run starts from, as it keeps them. */

import { createHash } from "node:crypto";
import type { HostTensor } from "../../base/host-tensor.js";
import { type FrozenWeights, packFrozenAsRead } from "../../compress/index.js";
import type { OpenedModel } from "../../presets/index.js";
import type { Runtime } from "../../runtime/index.js";
import { hashTensor } from "../corpus.js";

/** The base's parameters, what is frozen in its packed form, and a hash of the values they were made of. */
export interface BaseWeights {
  readonly parameters: Map<string, HostTensor>;
  readonly frozen: FrozenWeights | undefined;
  readonly hash: string;
}

/** Reads them one at a time, so that no two are unpacked at once. */
export async function readBase(
  runtime: Runtime,
  { parameters }: OpenedModel,
  frozen: FrozenWeights | undefined,
): Promise<BaseWeights> {
  const hash = createHash("sha256");
  async function* hashed(): AsyncGenerator<readonly [string, HostTensor]> {
    for await (const [name, tensor] of parameters) {
      hashTensor(hash, name, tensor);
      yield [name, tensor];
    }
  }
  const keep = (tensor: HostTensor): HostTensor => runtime.keep(tensor);
  const packed = await packFrozenAsRead(hashed(), frozen ?? new Map(), keep);
  return { parameters: packed, frozen, hash: hash.digest("hex") };
}
