import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AccessCounts } from "./access-counts.js";
import { StoreError } from "./stores/store.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-access-"));
});
afterEach(() => rm(folder, { recursive: true }));

const day = 86_400_000;
const chunk = (path: string, id: string) => ({ path, id: `${path}#${id}` });

it("counts what was asked for, lately more than long ago, for every process", async () => {
  const file = join(folder, "access.sqlite");
  let time = 1_000 * day;
  const options = { halfLifeDays: 10, now: () => time };
  const one = await AccessCounts.open(file, options);
  for (let i = 0; i < 3; i++) one.record([chunk("old.md", "a"), chunk("old.md", "b")]);
  time += 30 * day;
  const two = await AccessCounts.open(file, options);
  two.record([chunk("new.md", "a")]);
  expect(one.hottest(10)).toEqual([
    { id: "new.md#a", path: "new.md", count: 1, heat: 1 },
    { id: "old.md#a", path: "old.md", count: 3, heat: 3 / 8 },
    { id: "old.md#b", path: "old.md", count: 3, heat: 3 / 8 },
  ]);
  one.record([chunk("old.md", "b"), chunk("old.md", "c")]);
  expect(two.hottestDocuments(1)).toEqual([{ path: "old.md", count: 8, heat: 2.75 }]);
  expect(two.hottest(1)).toEqual([{ id: "old.md#b", path: "old.md", count: 4, heat: 1.375 }]);
  one.close();
  two.close();
  time += 10 * day;
  const again = await AccessCounts.open(file, options);
  expect(again.hottestDocuments(9).map(({ heat }) => heat)).toEqual([1.375, 0.5]);
  expect(again.fault).toBeUndefined();
  again.close();
});

it("says what it cannot count, and which file is damaged", async () => {
  const file = join(folder, "access.sqlite");
  const counts = await AccessCounts.open(file);
  counts.close();
  counts.record([chunk("a.md", "x")]);
  expect(counts.fault).toMatch(/not open/);
  const damaged = join(folder, "damaged.sqlite");
  await writeFile(damaged, "no database at all, ".repeat(100));
  await expect(AccessCounts.open(damaged)).rejects.toThrow(StoreError);
  await expect(AccessCounts.open(damaged)).rejects.toThrow(/damaged\.sqlite.*delete it/);
});
