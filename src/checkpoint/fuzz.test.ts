/** @file Damaged files: real small ones are changed at random, and reading them either works or throws an error of ours, in bounded memory and time. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TesseraError } from "../base/errors.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { Rng } from "../base/rng.js";
import { readGguf } from "./gguf/read.js";
import { writeGguf } from "./gguf/write.js";
import { openSafetensors, writeSafetensors } from "./safetensors-file.js";
import { openModelFolder } from "./sharded.js";

const rounds = 600;
/** What reading a file of a few kilobytes may allocate beside its tensors: the piece that conversion goes through, and a margin. */
const mostBytes = 8 * 2 ** 20;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-fuzz-"));
});
afterAll(() => rm(folder, { recursive: true }));

const vector = (length: number): HostTensor =>
  hostTensor(
    "float32",
    [length],
    Float32Array.from({ length }, (_, i) => i),
  );

/** Numbers that lengths and sizes are known to go wrong with. */
const nasty = [0n, 1n, 0x7fn, 0xffn, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 62n, 2n ** 63n, 2n ** 64n - 1n];

/** One to four changes: a bit, a byte, a 64-bit number, a cut, a repetition, a removal, digits of a text. */
function mutate(original: Buffer, rng: Rng): Buffer {
  let bytes = Buffer.from(original);
  for (let i = rng.below(4); i >= 0; i--) {
    const at = rng.below(Math.max(1, bytes.length));
    const kind = rng.below(7);
    if (kind === 0 && bytes.length > 0) bytes[at]! ^= 1 << rng.below(8);
    else if (kind === 1 && bytes.length > 0) bytes[at] = rng.below(256);
    else if (kind === 2 && bytes.length >= 8)
      bytes.writeBigUInt64LE(nasty[rng.below(nasty.length)]!, rng.below(bytes.length - 7));
    else if (kind === 3) bytes = bytes.subarray(0, at);
    else if (kind === 4) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(rng.below(at + 1))]);
    else if (kind === 5) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + rng.below(16))]);
    else
      bytes = Buffer.from(
        bytes.toString("latin1").replace(/\d+/, () => "9".repeat(1 + rng.below(20))),
        "latin1",
      );
  }
  return bytes;
}

/** Reads mutations of a file; counts those that were refused. */
async function fuzz(path: string, original: Buffer, seed: number, read: () => Promise<void>): Promise<number> {
  const rng = new Rng(seed);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    await writeFile(path, mutate(original, rng));
    const before = process.memoryUsage();
    try {
      await read();
    } catch (thrown) {
      if (!(thrown instanceof TesseraError))
        throw new Error(`seed ${seed}, round ${round}: not an error of ours`, { cause: thrown });
      refused++;
    }
    const { arrayBuffers } = process.memoryUsage();
    expect(arrayBuffers - before.arrayBuffers, `seed ${seed}, round ${round}`).toBeLessThan(mostBytes);
  }
  return refused;
}

describe("damaged files", () => {
  it("safetensors", async () => {
    const path = join(folder, "model.safetensors");
    await writeSafetensors(path, Object.entries({ a: vector(40), b: vector(3), c: vector(0) }), { format: "pt" });
    const refused = await fuzz(path, await readFile(path), 1, async () => {
      await using file = await openSafetensors(path);
      for (const name of file.tensors.keys()) await file.readFloat32(name);
    });
    expect(refused).toBeGreaterThan(rounds / 2);
    expect(refused).toBeLessThan(rounds);
  });

  it("GGUF", async () => {
    const path = join(folder, "model.gguf");
    const data = Float32Array.from({ length: 64 }, (_, i) => i);
    const metadata = new Map<string, string | number | string[] | number[]>([
      ["general.architecture", "llama"],
      ["llama.block_count", 1],
      ["tokenizer.ggml.tokens", ["a", "bc", ""]],
      ["tokenizer.ggml.scores", [0, -1, -2]],
    ]);
    await writeGguf(path, {
      metadata,
      tensors: [
        { name: "a", shape: [2, 32], type: "Q4_0", data },
        { name: "b", shape: [64], type: "F32", data },
      ],
    });
    const refused = await fuzz(path, await readFile(path), 2, async () => {
      await using file = await readGguf(path);
      for (const name of file.tensors.keys()) await file.readFloat32(name);
    });
    expect(refused).toBeGreaterThan(rounds / 3);
    expect(refused).toBeLessThan(rounds);
  });

  it("the index of shards", async () => {
    const model = join(folder, "sharded");
    await mkdir(model);
    await writeSafetensors(join(model, "s1.safetensors"), [["a", vector(4)]]);
    await writeSafetensors(join(model, "s2.safetensors"), [["b", vector(4)]]);
    const index = Buffer.from(JSON.stringify({ weight_map: { a: "s1.safetensors", b: "s2.safetensors" } }));
    const refused = await fuzz(join(model, "model.safetensors.index.json"), index, 3, async () => {
      await using source = await openModelFolder(model);
      for (const name of source.tensors.keys()) await source.readFloat32(name);
    });
    expect(refused).toBeGreaterThan(rounds / 2);
  });
});
