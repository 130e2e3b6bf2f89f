/** @file What tells one model from another, found while its parameters are read. */

import { createHash, type Hash } from "node:crypto";
import type { HostTensor } from "../base/host-tensor.js";
import type { WeightFormat } from "../engine/index.js";
import type { TextModel } from "../presets/index.js";

/** Bytes of each end of a tensor that are looked at. */
const endBytes = 4096;

type Parameter = readonly [name: string, tensor: HostTensor];

/** Config, tokenizer, names and shapes of all tensors and both ends of their values, and the format they are packed to. */
export class ModelFingerprint {
  readonly #hash: Hash;

  constructor({ config, tokenizerFiles }: TextModel, format: WeightFormat) {
    this.#hash = createHash("sha256").update(JSON.stringify([format, config]));
    for (const [name, bytes] of tokenizerFiles) this.#hash.update(name).update(bytes);
  }

  /** The same parameters, which are looked at as they pass. */
  async *passing(parameters: Iterable<Parameter> | AsyncIterable<Parameter>): AsyncGenerator<Parameter> {
    for await (const [name, tensor] of parameters) {
      const { dtype, shape, data } = tensor;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      this.#hash.update(JSON.stringify([name, dtype, shape])).update(bytes.subarray(0, endBytes));
      this.#hash.update(bytes.subarray(Math.max(0, bytes.length - endBytes)));
      yield [name, tensor];
    }
  }

  /** 16 hex digits, once all parameters have passed. */
  digest(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}
