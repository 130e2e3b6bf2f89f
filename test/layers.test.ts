/** @file The arrows between folders, checked: what a folder may import is what this table says. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** Folders that a folder may import; `base` is implied. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  graph: [],
  onnx: ["graph"],
  runtime: ["graph", "onnx"],
  nn: ["graph"],
  models: ["nn", "graph"],
  checkpoint: [],
  tokenizers: [],
  peft: ["nn", "graph", "checkpoint"],
  // graph: a packed weight is unpacked where it is used, by the format that packed it
  compress: ["nn", "graph"],
  plan: ["runtime", "nn", "graph", "compress"],
  train: ["plan", "nn", "graph", "runtime", "checkpoint"],
  engine: ["runtime", "nn", "graph", "compress"],
  text: [],
  // what models write, scored as text
  metrics: ["text"],
  chunk: ["text"],
  documents: [],
  // documents: a folder of texts is read as `up` reads it
  datasets: ["tokenizers", "documents"],
  retrieval: ["chunk", "text"],
  // retrieval: demonstrations are found as chunks are
  prompt: ["retrieval"],
  // chunk: a passage that goes over headings is read in its sections
  answer: ["retrieval", "chunk", "text"],
  // engine and tokenizers: texts that are generated in blocks
  long: ["chunk", "text", "retrieval", "engine", "tokenizers"],
  // retrieval: a cross-encoder is a reranker
  presets: ["checkpoint", "models", "nn", "tokenizers", "plan", "peft", "compress", "runtime", "retrieval"],
  // runtime and presets: an encoder is run; checkpoint: folders of models are read and written
  embed: ["presets", "runtime", "tokenizers", "checkpoint", "models", "plan", "nn", "graph"],
  // train: the training step as a file
  export: ["presets", "checkpoint", "models", "nn", "graph", "onnx", "runtime", "plan", "train", "peft", "tokenizers"],
  server: ["retrieval", "chunk", "embed"],
  "ai-sdk": ["server"],
  // export: runs' models are written for other programs from the Studio
  pipeline: [
    "export",
    "answer",
    "text",
    "presets",
    "embed",
    "server",
    "documents",
    "compress",
    "datasets",
    "metrics",
    "prompt",
    "chunk",
    "retrieval",
    "tokenizers",
    "models",
    "nn",
    "peft",
    "plan",
    "train",
    "engine",
    "long",
    "runtime",
    "checkpoint",
  ],
  // chunk, documents, tokenizers, retrieval: commands print what these give, and nothing is between
  cli: [
    "answer",
    "retrieval",
    "chunk",
    "documents",
    "tokenizers",
    "datasets",
    "embed",
    "metrics",
    "prompt",
    "models",
    "pipeline",
    "long",
    "export",
    "presets",
    "server",
    "engine",
    "plan",
    "train",
    "peft",
    "checkpoint",
    "runtime",
    "compress",
  ],
};

/** Where Node's own modules may be imported. */
const nodeAllowed = [
  "runtime/backends/",
  "checkpoint/",
  "documents/",
  "datasets/",
  "embed/",
  "retrieval/stores/",
  "server/adapters/",
  "export/",
  "pipeline/",
  "cli/",
];

/** Files of a folder that runs in browsers too, though others beside them need Node. */
const nodeFree = ["checkpoint/safetensors.ts", "checkpoint/tensor-source.ts", "checkpoint/json.ts"];

/** Files of base: a stray one needs two folders that import it. */
const baseFiles = [
  "dtype.ts",
  "dynamic-codes.ts",
  "equal-bytes.ts",
  "errors.ts",
  "host-tensor.ts",
  "index.ts",
  "protobuf.ts",
  "rng.ts",
];

interface Import {
  readonly file: string;
  readonly target: string;
}

const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((path) => path.split(sep).join("/"))
  .filter((path) => path.endsWith(".ts"));
const sources = files.filter((path) => !path.endsWith(".test.ts"));

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, target]) => ({ file, target: target! }));
}

const imports = sources.flatMap(importsOf);
const topOf = (path: string): string => path.split("/")[0]!;
const isFolderFile = (path: string): boolean => path.includes("/");

describe("layers", () => {
  it("follow the table: every arrow between folders is in it", () => {
    const wrong = imports.flatMap(({ file, target }) => {
      if (!target.startsWith(".") || !isFolderFile(file)) return [];
      const [from, to] = [
        topOf(file),
        topOf(
          normalize(join(dirname(file), target))
            .split(sep)
            .join("/"),
        ),
      ];
      const isAllowed = from === to || to === "base" || mayImport[from]?.includes(to);
      return isAllowed ? [] : [`${file} imports ${target}`];
    });
    expect(wrong).toEqual([]);
  });

  it("have no cycle and no folder that the table does not know", () => {
    const folders = new Set(sources.filter(isFolderFile).map(topOf));
    expect([...folders].filter((folder) => !(folder in mayImport))).toEqual([]);
    const visit = (folder: string, path: readonly string[]): void => {
      expect(path, `cycle: ${[...path, folder].join(" → ")}`).not.toContain(folder);
      for (const next of mayImport[folder] ?? []) visit(next, [...path, folder]);
    };
    for (const folder of folders) visit(folder, []);
  });

  it("keep the runtime's library in one folder", () => {
    const wrong = imports.filter(
      ({ file, target }) => /^(onnxruntime-|koffi)/.test(target) && !file.startsWith("runtime/backends/"),
    );
    expect(wrong).toEqual([]);
  });

  it("keep Node's modules where they belong", () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        target.startsWith("node:") &&
        (!nodeAllowed.some((prefix) => file.startsWith(prefix)) || nodeFree.includes(file)),
    );
    expect(wrong).toEqual([]);
  });

  it("keep base small", () => {
    const inBase = sources.filter((file) => topOf(file) === "base").map((file) => file.slice("base/".length));
    expect(inBase.sort()).toEqual(baseFiles);
  });
});

describe("source files", () => {
  it("open with a sentence that says what they are", () => {
    const silent = sources.filter(
      (file) => !/^(#!.*\n)?\/\*\*\n? ?\*? ?@file /.test(readFileSync(join(src, file), "utf8")),
    );
    expect(silent).toEqual([]);
  });

  it("draw no number that a seed does not decide", () => {
    expect(sources.filter((file) => readFileSync(join(src, file), "utf8").includes("Math.random"))).toEqual([]);
  });
});
