/** @file Tests of model folders, with shards written by Hugging Face Transformers and with broken indexes. */

import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckpointError } from "../base/errors.js";
import { type HostTensor, hostTensor } from "../base/host-tensor.js";
import { writeSafetensors } from "./safetensors-file.js";
import { openModelFolder } from "./sharded.js";

const golden = fileURLToPath(new URL("../../test/golden/safetensors/sharded", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-sharded-"));
});
afterEach(() => rm(folder, { recursive: true }));

const vector = (...values: number[]): HostTensor => hostTensor("float32", [values.length], Float32Array.from(values));

async function writeShards(weightMap: unknown): Promise<void> {
  await writeSafetensors(join(folder, "s1.safetensors"), Object.entries({ a: vector(1), b: vector(2, 3) }));
  await writeSafetensors(join(folder, "s2.safetensors"), Object.entries({ c: vector(4) }));
  await writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify({ weight_map: weightMap }));
}

const right = { a: "s1.safetensors", b: "s1.safetensors", c: "s2.safetensors" };

it("reads shards of the reference implementation", async () => {
  await using model = await openModelFolder(golden);
  const index = JSON.parse(await readFile(join(golden, "model.safetensors.index.json"), "utf8"));
  expect([...model.tensors.keys()].sort()).toEqual(Object.keys(index.weight_map).sort());
  expect(model.metadata).toEqual({ format: "pt" });
  const bytes = [...model.tensors.values()].reduce((sum, entry) => sum + entry.bytes, 0);
  expect(bytes).toBe(index.metadata.total_size);
  const norm = await model.read("model.norm.weight");
  expect(norm.data).toEqual(new Float32Array(8).fill(1));
});

it("reads from whichever shard holds the tensor", async () => {
  await writeShards(right);
  await using model = await openModelFolder(folder);
  expect(await model.read("b")).toEqual(vector(2, 3));
  const target = new Float32Array(1);
  await model.readInto("c", target);
  expect(target[0]).toBe(4);
  await expect(model.read("d")).rejects.toThrow(/no tensor "d"; it holds 3/);
});

it("takes the single file first", async () => {
  await writeShards(right);
  await writeSafetensors(join(folder, "model.safetensors"), [["only", vector(9)]]);
  await using model = await openModelFolder(folder);
  expect([...model.tensors.keys()]).toEqual(["only"]);
});

it("follows the links of the Hugging Face cache", async () => {
  const blobs = join(folder, "blobs");
  const snapshot = join(folder, "snapshot");
  await mkdir(blobs);
  await mkdir(snapshot);
  await writeSafetensors(join(blobs, "0a1b"), [["a", vector(1)]]);
  await symlink("../blobs/0a1b", join(snapshot, "model.safetensors"));
  await using model = await openModelFolder(snapshot);
  expect(await model.read("a")).toEqual(vector(1));
});

describe("refuses", () => {
  it.each<[string, unknown, RegExp]>([
    ["a path out of the folder", { a: "../s1.safetensors" }, /inside its folder, found "..\/s1.safetensors"/],
    ["a path that leaves on the way", { a: "x/../../s1.safetensors" }, /inside its folder/],
    ["a path with backslashes", { a: "..\\s1.safetensors" }, /inside its folder/],
    ["an absolute path", { a: "/etc/passwd" }, /inside its folder/],
    ["an empty path", { a: "" }, /inside its folder/],
    ["a missing shard", { ...right, d: "s3.safetensors" }, /1 of 3 shards are missing: s3.safetensors; download/],
    [
      "an index as shard",
      { a: "model.safetensors.index.json" },
      /expected shards that are .safetensors files, found "model.safetensors.index.json"/,
    ],
    [
      "a tensor in the wrong shard",
      { ...right, b: "s2.safetensors" },
      /tensor "b" in s2.*, found it in s1.safetensors/,
    ],
    ["a tensor in no shard", { ...right, d: "s1.safetensors" }, /tensor "d" in s1.safetensors, found it in no shard/],
    [
      "a tensor that is not listed",
      { a: right.a, c: right.c },
      /s1.* holds tensor "b", which the index places in no shard/,
    ],
    ["a map that is none", ["s1.safetensors"], /weight_map: /],
    ["a shard that is no text", { a: 1 }, /weight_map\.a: /],
    ["no map", undefined, /weight_map: /],
  ])("%s", async (_, weightMap, message) => {
    await writeShards(weightMap);
    await expect(openModelFolder(folder)).rejects.toThrow(CheckpointError);
    await expect(openModelFolder(folder)).rejects.toThrow(message);
  });

  it("a tensor that two shards hold", async () => {
    await writeShards(right);
    await copyFile(join(folder, "s1.safetensors"), join(folder, "s2.safetensors"));
    await writeFile(
      join(folder, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: { a: "s1.safetensors", b: "s2.safetensors" } }),
    );
    await expect(openModelFolder(folder)).rejects.toThrow(
      /s1.safetensors holds tensor "b", which the index places in s2/,
    );
  });

  it("links in a circle, a broken index and an empty folder", async () => {
    await expect(openModelFolder(folder)).rejects.toThrow(/expected model.safetensors or .*, found neither/);
    await writeFile(join(folder, "model.safetensors.index.json"), '{"weight_map":');
    await expect(openModelFolder(folder)).rejects.toThrow(/index.json: expected JSON/);
    await symlink("model.safetensors", join(folder, "model.safetensors"));
    await expect(openModelFolder(folder)).rejects.toThrow(/ELOOP/);
  });
});
