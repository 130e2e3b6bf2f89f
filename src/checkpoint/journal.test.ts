import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Rng } from "../base/rng.js";
import { Journal } from "./journal.js";

const schema = z.strictObject({ n: z.number(), text: z.string() });
const records = Array.from({ length: 6 }, (_, n) => ({ n, text: `line ${"é\n".repeat(n)}` }));

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-journal-"));
  path = join(folder, "journal");
});
afterEach(() => rm(folder, { recursive: true }));

async function read(): Promise<z.output<typeof schema>[]> {
  const { journal, records } = await Journal.open(path, schema);
  await journal.close();
  return records;
}

async function write(some: typeof records): Promise<void> {
  await using opened = (await Journal.open(path, schema)).journal;
  for (const record of some) await opened.append(record);
}

describe("a journal", () => {
  it("gives back what was written, over several openings", async () => {
    expect(await read()).toEqual([]);
    await write(records.slice(0, 3));
    await write(records.slice(3));
    expect(await read()).toEqual(records);
  });

  it("loses no more than the record that was being written, wherever the file ends", async () => {
    await write(records);
    const whole = await readFile(path);
    const ends = [...whole.keys()].filter((i) => whole[i] === 0x0a);
    const rng = new Rng(1);
    for (let round = 0; round < 40; round++) {
      const size = rng.below(whole.length + 1);
      await writeFile(path, whole);
      await truncate(path, size);
      const complete = ends.filter((end) => end < size).length;
      expect(await read()).toEqual(records.slice(0, complete));
      await write(records.slice(complete));
      expect(await readFile(path)).toEqual(whole);
    }
  });

  it("cuts off a last line of other bytes, and refuses damage before it", async () => {
    await write(records);
    const whole = await readFile(path);
    await appendFile(path, new Uint8Array(30));
    expect(await read()).toEqual(records);
    const damaged = Uint8Array.from(whole);
    damaged[damaged.indexOf(0x0a) + 25]! ^= 1;
    await writeFile(path, damaged);
    await expect(read()).rejects.toThrow("record 2 is damaged, and others follow it");
    // a record of an earlier place is no record here
    const lines = whole.toString().split("\n");
    await writeFile(path, [lines[1], ...lines].join("\n"));
    await expect(read()).rejects.toThrow("record 1 is damaged");
  });

  it("says what is wrong", async () => {
    await write(records.slice(0, 1));
    await expect(Journal.open(path, z.strictObject({ n: z.string() }))).rejects.toThrow("is it another file?");
    await expect(Journal.open(join(folder, "none", "journal"), schema)).rejects.toThrow("cannot be opened");
    const { journal: first } = await Journal.open(path, schema);
    await write(records.slice(1, 2));
    await expect(first.append(records[2]!)).rejects.toThrow("does another process write it?");
    await first.close();
    expect(await read()).toEqual(records.slice(0, 2));
  });
});
