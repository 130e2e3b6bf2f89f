/** @file Tests of reading and writing whole models, and of what is refused with a word on what to do instead. */

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fromBFloat16, toBFloat16 } from "../base/dtype.js";
import { CheckpointError, UnsupportedError } from "../base/errors.js";
import { hostTensor } from "../base/host-tensor.js";
import { writeGguf } from "./gguf/write.js";
import { readModel, writeModel } from "./model-folder.js";
import { openSafetensors, writeSafetensors } from "./safetensors-file.js";

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tessera-model-"));
  folder = join(root, "model");
});
afterEach(() => rm(root, { recursive: true }));

const values = Float32Array.of(1, 1 / 3, -2);
const model = {
  config: { model_type: "llama" },
  tensors: new Map([["w", hostTensor("float32", [3], values)]]),
  files: new Map([["tokenizer.json", Buffer.from("{}")]]),
};

describe("writing and reading", () => {
  it("keeps everything in float32", async () => {
    await writeModel(folder, model);
    const back = await readModel(folder);
    expect(back.tensors).toEqual(model.tensors);
    expect(back.config).toEqual(model.config);
    expect([...back.files.keys()]).toEqual(["tokenizer.json"]);
  });

  it("rounds to the type that is asked for", async () => {
    await writeModel(folder, model, { dtype: "bfloat16" });
    await using file = await openSafetensors(join(folder, "model.safetensors"));
    expect(file.tensors.get("w")).toMatchObject({ dtype: "bfloat16", bytes: 6 });
    const { tensors } = await readModel(folder);
    expect(tensors.get("w")?.data).toEqual(values.map((value) => fromBFloat16(toBFloat16(value))));
  });

  it("takes the position ids that old BERT checkpoints store", async () => {
    await mkdir(folder);
    await writeFile(join(folder, "config.json"), "{}");
    const ids = hostTensor("int64", [1, 3], BigInt64Array.of(0n, 1n, 2n));
    await writeSafetensors(join(folder, "model.safetensors"), [["embeddings.position_ids", ids]]);
    const { tensors } = await readModel(folder);
    expect(tensors.get("embeddings.position_ids")).toEqual(hostTensor("float32", [1, 3], Float32Array.of(0, 1, 2)));
  });
});

describe("refuses", () => {
  it("values that are not finite, on request, by name", async () => {
    const wrong = hostTensor("float32", [2], Float32Array.of(0, Number.NaN));
    await writeModel(folder, { ...model, tensors: new Map([...model.tensors, ["z", wrong]]) });
    await expect(readModel(folder)).resolves.toMatchObject({ config: model.config });
    await expect(readModel(folder, { checkFinite: true })).rejects.toThrow(/tensor "z" holds NaN at element 1/);
  });

  it.each([
    ["zip archive", Buffer.from("PK\u0003\u0004data.pkl")],
    ["bare pickle", Buffer.from([0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc])],
  ])("pickles: a %s", async (_, bytes) => {
    await mkdir(folder);
    await writeFile(join(folder, "config.json"), "{}");
    await writeFile(join(folder, "pytorch_model.bin"), bytes);
    for (const path of [folder, join(folder, "pytorch_model.bin")]) {
      await expect(readModel(path)).rejects.toThrow(UnsupportedError);
      await expect(readModel(path)).rejects.toThrow(/pytorch_model.bin is a Python pickle.*safetensors/);
    }
  });

  it("no llama2.c file for a pickle", async () => {
    const path = join(root, "model.bin");
    // version 0 begins with the width: 640 is 80 02 00 00
    await writeFile(path, Buffer.from(Int32Array.of(640, 1, 1, 1, 1, 10, 10).buffer));
    await expect(readModel(path)).rejects.toThrow(CheckpointError);
  });

  it("a folder of several GGUF files, and paths that are nothing", async () => {
    await mkdir(folder);
    await expect(readModel(folder)).rejects.toThrow(/has no config.json, so it is not a model folder/);
    await writeGguf(join(folder, "a.gguf"), { metadata: new Map([["general.architecture", "llama"]]), tensors: [] });
    await expect(readModel(folder)).rejects.toThrow(/a.gguf holds a vocabulary but no weights/);
    await copyFile(join(folder, "a.gguf"), join(folder, "b.gguf"));
    await expect(readModel(folder)).rejects.toThrow(/2 GGUF files; give the path of one: a.gguf, b.gguf/);
    await expect(readModel(join(root, "none"))).rejects.toThrow(/expected a model folder, a GGUF file or a llama2.c/);
  });
});
