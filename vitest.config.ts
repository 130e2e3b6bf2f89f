import { availableParallelism } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));
const src = join(root, "src");

/** Tests that start processes, or that measure or change their own: each file has a process to itself. */
const ownProcess = [
  "test/e2e/**/*.test.ts",
  "test/conformance/stores-trouble.test.ts",
  "src/pipeline/**/*.test.ts",
  "src/checkpoint/fuzz.test.ts",
  "src/runtime/**/*.test.ts",
  "src/server/openai/wrong-requests.test.ts",
  // a graphics driver may bring its process down
  "src/train/**/resident*.test.ts",
  "test/conformance/ops-webgpu.test.ts",
];

/** Where the sources are compiled to for these, beside `src`, so that what lies beside it is found. */
const compiled = join(root, `.compiled-${process.pid}`);

/** Imports of sources are imports of what they are compiled to, which Node loads as it does what is shipped. */
const compiledSources: Plugin = {
  name: "compiled-sources",
  enforce: "pre",
  resolveId(source, importer) {
    if (importer === undefined || !source.startsWith(".")) return undefined;
    const path = resolve(dirname(importer), source);
    return path.startsWith(src + sep) ? { id: join(compiled, relative(src, path)), external: true } : undefined;
  },
};

/** Examples and documentation import the package by its name; tests run them on the sources. */
const byName = (folder: string, extension: string) => ({
  alias: [
    { find: /^tessera-llm$/, replacement: `${folder}/index.${extension}` },
    { find: /^tessera-llm\/(.+)$/, replacement: `${folder}/$1/index.${extension}` },
  ],
});

export default defineConfig({
  test: {
    pool: "forks",
    // one process reads and compiles, but only at the start
    maxWorkers: availableParallelism(),
    testTimeout: 60_000,
    projects: [
      {
        extends: true,
        resolve: byName(src, "ts"),
        test: {
          name: "modules",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ownProcess,
          // no module has state, so that files can share what they import
          isolate: false,
        },
      },
      {
        extends: true,
        plugins: [compiledSources],
        resolve: byName(compiled, "js"),
        test: {
          name: "processes",
          include: ownProcess,
          env: { TESSERA_COMPILED: compiled },
          globalSetup: "test/support/compile-sources.ts",
          server: { deps: { external: [/[\\/]\.compiled-\d+[\\/]/] } },
        },
      },
    ],
  },
});
