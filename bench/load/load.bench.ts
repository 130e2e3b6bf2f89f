/**
 * @file Loading a 1 GB safetensors file: peak memory and time, beside Python's safetensors with PyTorch.
 *
 * As float32 the least that BF16 can take is twice its file, which is why its goal is for peak over the float32 values. The memory of tsx,
 * which compiles the sources for benchmarks and is not there in use, is measured with empty scripts and taken off.
 */

import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DType, viewBytes } from "../../src/base/dtype.js";
import { writeSafetensors } from "../../src/checkpoint/index.js";
import { type Benchmark, compared, type Figure, plain, runJson, runModule } from "../bench.js";
import { loaderBytes } from "../peak.js";

interface Loaded {
  readonly peakBytes: number;
  readonly seconds: number;
  /** Size of the values as float32. */
  readonly bytes: number;
}

const fileBytes = 1e9;
/** About the layers of a model of this size: many tensors of 25 MB. */
const numTensors = 40;

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);

async function writeFolder(folder: string, dtype: DType, elementBytes: number): Promise<number> {
  const width = 1000;
  const rows = fileBytes / numTensors / elementBytes / width;
  // one buffer for all: the values do not matter, and 1 GB of them would
  const buffer = new ArrayBuffer(rows * width * elementBytes);
  new Uint32Array(buffer).fill(0x3c233c23);
  const data = viewBytes(dtype, buffer, 0, rows * width);
  const entries = Array.from(
    { length: numTensors },
    (_, i) => [`w${i}`, { dtype, shape: [rows, width], data }] as const,
  );
  await writeSafetensors(join(folder, "model.safetensors"), entries);
  await writeFile(join(folder, "config.json"), "{}");
  return (await stat(join(folder, "model.safetensors"))).size;
}

export const load: Benchmark = {
  name: "load",
  about: "peak memory over size, and time, of loading a 1 GB safetensors file as float32",
  async run({ log, peerPython }) {
    const figures: Figure[] = [];
    const loader = await loaderBytes();
    log(`  tsx: ${(loader / 1e6).toFixed(0)} MB, taken off`);
    for (const [name, dtype, elementBytes] of [
      ["F32", "float32", 4],
      ["BF16", "bfloat16", 2],
    ] as const) {
      const folder = await mkdtemp(join(tmpdir(), "tessera-load-"));
      try {
        const size = await writeFolder(folder, dtype, elementBytes);
        const ours = await runModule<Loaded>(path("./load-child.ts"), folder);
        const peak = ours.peakBytes - loader;
        log(`  ${name}: file ${megabytes(size)} MB, peak ${megabytes(peak)} MB, ${ours.seconds.toFixed(1)} s`);
        const goal = { atMost: 1.1 };
        figures.push(plain(`${name}: peak / file`, "ratio", peak / size, name === "F32" ? goal : undefined));
        figures.push(plain(`${name}: peak / float32 values`, "ratio", peak / ours.bytes, goal));
        if (peerPython === undefined) figures.push(plain(`${name}: time`, "s", ours.seconds));
        else {
          const peer = await runJson<Loaded>(peerPython, [path("../peers/load.py"), join(folder, "model.safetensors")]);
          const peerName = "safetensors + torch, float32";
          figures.push(compared(`${name}: peak`, "MB", peak / 1e6, { value: peer.peakBytes / 1e6, name: peerName }));
          figures.push(compared(`${name}: time`, "s", ours.seconds, { value: peer.seconds, name: peerName }));
        }
      } finally {
        await rm(folder, { recursive: true });
      }
    }
    return figures;
  },
};
