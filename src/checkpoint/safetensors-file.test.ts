/** @file Tests of safetensors files on disk. */

import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckpointError, DTypeError, ShapeError } from "../base/errors.js";
import { hostTensor } from "../base/host-tensor.js";
import { openSafetensors, writeSafetensors } from "./safetensors-file.js";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-safetensors-"));
  path = join(folder, "model.safetensors");
});
afterEach(() => rm(folder, { recursive: true }));

const weight = hostTensor("float32", [2, 2], Float32Array.of(1, 2, 3, 4));
const ids = hostTensor("int64", [2], BigInt64Array.of(-5n, 2n ** 60n));

describe("reading", () => {
  beforeEach(() => writeSafetensors(path, Object.entries({ weight, ids }), { format: "pt" }));

  it("gives each tensor a buffer of its own", async () => {
    await using file = await openSafetensors(path);
    expect(file.metadata).toEqual({ format: "pt" });
    expect([...file.tensors.keys()]).toEqual(["ids", "weight"]);
    expect(file.tensors.get("weight")).toMatchObject({ dtype: "float32", shape: [2, 2], bytes: 16 });
    expect(await file.read("ids")).toEqual(ids);
    const tensor = await file.read("weight");
    expect(tensor).toEqual(weight);
    expect(tensor.data.buffer.byteLength).toBe(16);
  });

  it("reads many at once", async () => {
    await using file = await openSafetensors(path);
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => file.read(i % 2 ? "weight" : "ids")));
    all.forEach((tensor, i) => {
      expect(tensor).toEqual(i % 2 ? weight : ids);
    });
  });

  it("reads into a part of shared memory", async () => {
    await using file = await openSafetensors(path);
    const shared = new Float32Array(new SharedArrayBuffer(24));
    await file.readInto("weight", shared.subarray(1, 5));
    expect([...shared]).toEqual([0, 1, 2, 3, 4, 0]);
  });

  it("refuses a target that does not fit and a name that is not there", async () => {
    await using file = await openSafetensors(path);
    await expect(file.readInto("weight", new Float32Array(3))).rejects.toThrow(ShapeError);
    await expect(file.readInto("weight", new Float64Array(4))).rejects.toThrow(DTypeError);
    await expect(file.read("wieght")).rejects.toThrow(/no tensor "wieght"; it holds 2: "ids", "weight"$/);
  });

  it("notices a file that shrinks while open, and reading after closing", async () => {
    const file = await openSafetensors(path);
    await truncate(path, (await readFile(path)).length - 1);
    await expect(file.read("weight")).rejects.toThrow(/expected 16 bytes at \d+, but the file ends after 15/);
    await file.close();
    await expect(file.read("ids")).rejects.toThrow(CheckpointError);
  });
});

it("refuses what is missing, a folder, or damaged, and names it", async () => {
  await expect(openSafetensors(path)).rejects.toThrow(/cannot open .*model.safetensors: ENOENT/);
  await expect(openSafetensors(folder)).rejects.toThrow(/it is not a file/);
  for (const contents of ["", "short", "0123456789"]) {
    await writeFile(path, contents);
    await expect(openSafetensors(path)).rejects.toThrow(CheckpointError);
    await expect(openSafetensors(path)).rejects.toThrow(path);
  }
});

it("keeps the old file when the new one cannot be made", async () => {
  await writeSafetensors(path, [["weight", weight]]);
  const before = await readFile(path);
  const broken = { ...weight, shape: [5] };
  const writing = writeSafetensors(path, Object.entries({ ids, broken }));
  await expect(writing).rejects.toThrow(/writing .*: tensor "broken": shape \[5\].*; nothing was changed/);
  expect(await readFile(path)).toEqual(before);
  expect(await readdir(folder)).toEqual(["model.safetensors"]);
});
