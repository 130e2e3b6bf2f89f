import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { writeGgufModel } from "../checkpoint/gguf/model.js";
import { readModel } from "../checkpoint/index.js";
import { inspectModel } from "./inspect.js";

const golden = (name: string): string => fileURLToPath(new URL(`../../test/golden/${name}`, import.meta.url));

it.each(["families/llama", "families/gpt2", "families/mixtral", "encoders/bert", "encoders/t5"])(
  "counts every parameter of %s once, from the header alone",
  async (name) => {
    const inspection = await inspectModel(golden(name));
    const { tensors } = await readModel(golden(name));
    const stored = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
    expect(inspection.numParameters).toBe(stored);
    expect(inspection.parts.reduce((sum, { numParameters }) => sum + numParameters, 0)).toBe(stored);
    expect(inspection.types).toEqual([{ type: "float32", tensors: tensors.size, bytes: 4 * stored }]);
    expect(inspection.memory.load).toBeGreaterThan(4 * stored);
  },
);

it("gives memory that grows with the length and falls with the bits and the method", async () => {
  const { memory } = await inspectModel(golden("families/llama"), { lengths: [16, 64] });
  const [short, long] = memory.tune;
  expect([short!.length, long!.length]).toEqual([16, 64]);
  expect(long!.full).toBeGreaterThan(short!.full);
  for (const { full, fullSmallest, lora, qlora } of memory.tune) {
    expect(fullSmallest).toBeLessThan(full);
    expect(lora).toBeLessThan(full);
    expect(qlora).toBeLessThan(lora);
  }
  for (const { float32, int8, int4 } of memory.serve) {
    expect(int8).toBeLessThan(float32);
    expect(int4).toBeLessThan(int8);
  }
});

it("reads a GGUF file's types", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tessera-inspect-"));
  const path = join(folder, "model.gguf");
  await writeGgufModel(path, await readModel(golden("families/llama")), { type: "F16" });
  const inspection = await inspectModel(path);
  expect(inspection).toMatchObject({ container: "GGUF", family: "llama" });
  expect(inspection.types.map(({ type }) => type).sort()).toEqual(["F16", "F32"]);
  await rm(folder, { recursive: true });
});
