/** @file Every subpath of the package resolves to a source file, and every registry key equals its entry's name. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { chunkers, embeddingChunkers } from "../src/chunk/index.js";
import { frozenFormats } from "../src/compress/index.js";
import { dataFormats, refusedFormats } from "../src/datasets/index.js";
import { embedders } from "../src/embed/index.js";
import { cachePolicies, candidateFilters, logitsProcessors } from "../src/engine/index.js";
import { ops } from "../src/graph/ops/index.js";
import { contextStrategies, readingStrategies } from "../src/long/index.js";
import { metrics } from "../src/metrics/index.js";
import { methods } from "../src/peft/index.js";
import { selections } from "../src/prompt/index.js";
import { fusions, stores } from "../src/retrieval/index.js";
import { toolCallFormats } from "../src/server/index.js";
import { optimizers } from "../src/train/index.js";

const root = new URL("../", import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
  exports: Record<string, string | { types: string; default: string }>;
};

describe("package exports", () => {
  it.each(Object.entries(exports).filter(([, target]) => typeof target === "object"))(
    "%s has a source",
    (_, target) => {
      const { types, default: code } = target as { types: string; default: string };
      expect(types.replace(/\.d\.ts$/, "")).toBe(code.replace(/\.js$/, ""));
      expect(existsSync(new URL(code.replace("./dist/", "src/").replace(/\.js$/, ".ts"), root))).toBe(true);
    },
  );

  it("offer every folder that has public names, the command line aside", () => {
    const folders = readdirSync(new URL("src", root), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const missing = folders.filter(({ name }) => name !== "cli" && !(`./${name}` in exports));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

describe("registries", () => {
  const named = {
    ops,
    chunkers,
    embeddingChunkers,
    embedders,
    methods,
    metrics,
    selections,
    stores,
    fusions,
    dataFormats,
    refusedFormats,
    toolCallFormats,
    readingStrategies,
    contextStrategies,
    cachePolicies,
    logitsProcessors,
    candidateFilters,
    frozenFormats,
  };
  it.each(Object.entries(named))("%s: keys are names", (_, registry) => {
    for (const [key, entry] of Object.entries(registry)) expect(entry.name).toBe(key);
  });

  it("optimizers: keys are names of the rules they make", () => {
    for (const [key, make] of Object.entries(optimizers)) expect(make().name).toBe(key);
  });
});
