import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hostTensor, rows } from "../../base/host-tensor.js";
import { add, graph } from "../../graph/index.js";
import { Runtime } from "../program.js";
import { DiskMemory } from "./disk-memory.js";

const folder = mkdtempSync(join(tmpdir(), "tessera-disk-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(process.platform === "win32")("DiskMemory (skipped on Windows, which has no mmap)", () => {
  it("gives zeros that keep what is written, and leaves no file", () => {
    const memory = new DiskMemory(folder);
    const tensors = Array.from({ length: 3 }, (_, i) => memory.allocate("float32", [1000, 700 + i]));
    for (const [i, { data }] of tensors.entries()) {
      expect(data.every((value: number | bigint) => value === 0)).toBe(true);
      (data as Float32Array).fill(i + 1);
    }
    for (const [i, { data, shape }] of tensors.entries()) {
      expect(shape).toEqual([1000, 700 + i]);
      expect((data as Float32Array).every((value) => value === i + 1)).toBe(true);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  it("copies bytes of any type, and of none", () => {
    const memory = new DiskMemory(folder);
    const original = { dtype: "uint8", shape: [3], data: Uint8Array.of(7, 0, 255) } as const;
    expect(memory.copy(original)).toEqual(original);
    expect(memory.allocate("float32", [0, 4]).data).toHaveLength(0);
  });

  it("is read and written by programs in place", async () => {
    const memory = new DiskMemory(folder);
    const runtime = await Runtime.open({ numThreads: 1 });
    const aval = { dtype: "float32", shape: [4] } as const;
    const program = await runtime.compile(graph("sum", { a: aval, b: aval }, ({ a, b }) => ({ c: add(a, b) })));
    const [a, b] = [1, 2].map((value) => memory.copy({ ...aval, data: new Float32Array(4).fill(value) }));
    const c = memory.allocate("float32", [4]);
    const binding = program.bind({ a: a!, b: b! }, { c });
    await binding.run();
    expect([...c.data]).toEqual([3, 3, 3, 3]);
    binding.release();
    await runtime.close();
  });

  it.skipIf(process.platform !== "linux")("leaves RAM when told to, and keeps its values", async () => {
    const memory = new DiskMemory(folder);
    const resident = (): number =>
      Number(/RssFile:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
    const tensor = memory.allocate("float32", [16, 2 ** 20]);
    (tensor.data as Float32Array).fill(3);
    const filled = resident();
    memory.evict([rows(tensor, 0, 8)]);
    expect(filled - resident()).toBeGreaterThan(30 * 2 ** 20);
    await memory.evicting(async () => (tensor.data as Float32Array).fill(4, 0, 2 ** 20));
    expect(filled - resident()).toBeGreaterThan(60 * 2 ** 20);
    expect([0, 2 ** 20, 2 ** 24 - 1].map((i) => tensor.data[i])).toEqual([4, 3, 3]);
  });

  it.skipIf(process.platform !== "linux")("leaves RAM after each run of a paging runtime's programs", async () => {
    const memory = new DiskMemory(folder);
    const plain = await Runtime.open({ numThreads: 1 });
    const runtime = plain.paging(memory);
    const aval = { dtype: "float32", shape: [2 ** 23] } as const;
    const program = await runtime.compile(graph("double", { x: aval }, ({ x }) => ({ y: add(x!, x!) })));
    const x = runtime.keep(hostTensor("float32", aval.shape, new Float32Array(2 ** 23).fill(2)));
    const y = runtime.zeros("float32", aval.shape);
    const resident = (): number =>
      Number(/RssFile:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
    const before = resident();
    await program.run({ x }, { y });
    expect(resident() - before).toBeLessThan(8 * 2 ** 20);
    expect([y.data[0], y.data.at(-1)]).toEqual([4, 4]);
    await plain.close();
  });

  it("says when a folder cannot hold it", () => {
    const memory = new DiskMemory(join(folder, "none"));
    expect(() => memory.allocate("float32", [2])).toThrow("cannot hold 8 bytes more");
  });
});
