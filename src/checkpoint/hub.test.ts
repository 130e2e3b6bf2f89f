/** @file Tests of downloads against a local server that answers as the Hugging Face hub does. */

import { createHash } from "node:crypto";
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CheckpointError, ConfigError, UnsupportedError } from "../base/errors.js";
import { hostTensor } from "../base/host-tensor.js";
import { type PullOptions, type PullProgress, pull, pullDataset, resolveDataset, resolveModel } from "./hub.js";
import { encodeSafetensors } from "./safetensors.js";

const commit = "0123456789abcdef0123456789abcdef01234567";
const weights = Buffer.concat([
  ...encodeSafetensors([
    [
      "w",
      hostTensor(
        "float32",
        [50_000],
        Float32Array.from({ length: 50_000 }, (_, i) => i),
      ),
    ],
  ]),
]);
const text = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const gitSha1 = (bytes: Buffer): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
const isLarge = (path: string): boolean => /\.(safetensors|gguf|bin)$/.test(path);
const etagOf = (path: string, bytes: Buffer): string => (isLarge(path) ? sha256(bytes) : gitSha1(bytes));

/** Files of the repository `org/tiny`, and how the server misbehaves. */
let files: Map<string, Buffer>;
let cuts: number[];
let requests: string[];
let ranges: string[];
let server: Server;
let cacheDir: string;
let options: PullOptions;

/** Sends bytes, honouring a range, and cuts the connection where the test wants it. */
function sendBytes(request: IncomingMessage, response: ServerResponse, bytes: Buffer, etag: string): void {
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
  const [start, end] = range ? [Number(range[1]), range[2] ? Number(range[2]) + 1 : bytes.length] : [0, bytes.length];
  if (range && range[2] !== "0") ranges.push(`${start}-`);
  const part = bytes.subarray(start, end);
  response.writeHead(range ? 206 : 200, {
    etag: `"${etag}"`,
    "content-length": part.length,
    ...(range && { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` }),
  });
  const cut = part.length > 1000 ? cuts.shift() : undefined;
  if (cut === undefined) response.end(part);
  else response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 100));
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "", "http://hub");
  requests.push(url.pathname);
  const sendJson = (value: unknown, headers: Record<string, string> = {}): void => {
    response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
  };
  if (url.pathname.includes("org/gated") && request.headers.authorization !== "Bearer hf_right") {
    response
      .writeHead(401, { "content-type": "application/json" })
      .end('{"error":"Access to this model is restricted"}');
  } else if (/^\/api\/(models|datasets)\/org\/(tiny|gated)\/revision\/(main|v1|0123.*)$/.test(url.pathname)) {
    sendJson({ _id: "1", id: "org/tiny", sha: commit, private: false, lastModified: "2026-01-01T00:00:00Z" });
  } else if (/^\/api\/(models|datasets)\//.test(url.pathname) && url.pathname.endsWith(`/tree/${commit}`)) {
    const all = [...files].map(([path, bytes]) => ({
      type: "file",
      path,
      size: bytes.length,
      oid: gitSha1(bytes),
      ...(isLarge(path) && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
    }));
    // two pages, as the hub has for large repositories
    const next = `http://${request.headers.host}${url.pathname}?recursive=true&cursor=1`;
    if (url.searchParams.has("cursor")) sendJson(all.slice(1));
    else sendJson(all.slice(0, 1), { link: `<${next}>; rel="next"` });
  } else {
    const [, path] = /^(?:\/datasets)?\/org\/(?:tiny|gated)\/resolve\/[0-9a-f]{40}\/(.*)$/.exec(url.pathname) ?? [];
    const stored = /^\/cdn\/(.*)$/.exec(url.pathname)?.[1];
    const bytes = files.get(path ?? stored ?? "");
    if (!bytes) response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
    else if (stored !== undefined || !isLarge(path!))
      sendBytes(request, response, bytes, etagOf(path ?? stored!, bytes));
    else {
      const linked = { "x-linked-etag": `"${sha256(bytes)}"`, "x-linked-size": String(bytes.length) };
      response.writeHead(302, { location: `/cdn/${path}`, ...linked }).end();
    }
  }
}

beforeEach(async () => {
  files = new Map([
    ["config.json", text({ model_type: "llama" })],
    ["tokenizer.json", text({ version: "1.0" })],
    ["model.safetensors", weights],
    ["pytorch_model.bin", Buffer.alloc(2000)],
    ["README.md", Buffer.from("# tiny")],
    ["onnx/model.onnx", Buffer.alloc(10)],
  ]);
  [cuts, requests, ranges] = [[], [], []];
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cacheDir = await mkdtemp(join(tmpdir(), "tessera-hub-"));
  const hubUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  options = { cacheDir, hubUrl, retryDelayMs: 1, offline: false };
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cacheDir, { recursive: true });
});

describe("pull", () => {
  it("fetches what a model consists of into the layout of Hugging Face's libraries", async () => {
    const seen: PullProgress[] = [];
    const result = await pull("org/tiny", { ...options, onProgress: (progress) => seen.push(progress) });
    const repo = join(cacheDir, "models--org--tiny");
    expect(result).toEqual({
      folder: join(repo, "snapshots", commit),
      commit,
      files: ["config.json", "tokenizer.json", "model.safetensors"],
    });
    expect((await readdir(result.folder)).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(await readlink(join(result.folder, "model.safetensors"))).toBe(`../../blobs/${sha256(weights)}`);
    expect(await readFile(join(result.folder, "model.safetensors"))).toEqual(weights);
    expect(await readFile(join(repo, "refs", "main"), "utf8")).toBe(commit);
    expect((await readdir(join(repo, "blobs"))).sort()).toEqual(
      result.files.map((path) => etagOf(path, files.get(path)!)).sort(),
    );
    const total = result.files.reduce((sum, path) => sum + files.get(path)!.length, 0);
    expect(seen.at(-1)).toEqual({ path: "model.safetensors", doneBytes: total, totalBytes: total });
  });

  it("fetches nothing twice", async () => {
    await pull("org/tiny", options);
    requests = [];
    await pull("org/tiny", options);
    expect(requests.filter((path) => path.includes("/resolve/") || path.includes("/cdn/"))).toEqual([]);
  });

  it("continues broken connections where they stopped", async () => {
    cuts = [70_000, 50_000];
    const { folder } = await pull("org/tiny", options);
    expect(await readFile(join(folder, "model.safetensors"))).toEqual(weights);
    expect(ranges).toEqual(["70000-", "120000-"]);
  });

  it("gives up after failures without progress, keeps what came, and goes on from there next time", async () => {
    cuts = [90_000, 0, 0, 0, 0, 0];
    await expect(pull("org/tiny", options)).rejects.toThrow(
      /model.safetensors: .*; 90000 of \d+ bytes are kept, the next attempt continues there/,
    );
    const incomplete = join(cacheDir, "models--org--tiny", "blobs", `${sha256(weights)}.incomplete`);
    expect((await stat(incomplete)).size).toBe(90_000);
    [cuts, ranges] = [[], []];
    const { folder } = await pull("org/tiny", options);
    expect(ranges).toEqual(["90000-"]);
    expect(await readFile(join(folder, "model.safetensors"))).toEqual(weights);
  });

  it("removes what has the wrong hash", async () => {
    const blobs = join(cacheDir, "models--org--tiny", "blobs");
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, `${sha256(weights)}.incomplete`), Buffer.alloc(weights.length));
    await expect(pull("org/tiny", options)).rejects.toThrow(/expected the hash .* it was removed, try again/);
    await expect(pull("org/tiny", options)).resolves.toMatchObject({ commit });
  });

  it("does no harm when several download the same at once", async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => pull("org/tiny", options)));
    for (const { folder } of all) expect(await readFile(join(folder, "model.safetensors"))).toEqual(weights);
  });

  it("takes the shards of an index and no others", async () => {
    files.delete("model.safetensors");
    const index = text({
      weight_map: { a: "model-1.safetensors", b: "model-2.safetensors", c: "model-1.safetensors" },
    });
    files.set("model.safetensors.index.json", index);
    for (const name of ["model-1", "model-2", "consolidated"]) files.set(`${name}.safetensors`, Buffer.from(name));
    const { folder } = await pull("org/tiny", options);
    expect((await readdir(folder)).filter((name) => name.endsWith(".safetensors")).sort()).toEqual([
      "model-1.safetensors",
      "model-2.safetensors",
    ]);
    files.delete("model-2.safetensors");
    await rm(join(cacheDir, "models--org--tiny"), { recursive: true });
    await expect(pull("org/tiny", options)).rejects.toThrow(
      /index of the model names "model-2.safetensors", which the repository does not/,
    );
  });

  it("takes the files it is told, and the only GGUF file", async () => {
    files.delete("model.safetensors");
    files.set("tiny-Q4_0.gguf", Buffer.from("q4"));
    expect((await pull("org/tiny", options)).files).toContain("tiny-Q4_0.gguf");
    files.set("tiny-Q8_0.gguf", Buffer.from("q8"));
    await expect(pull("org/tiny", options)).rejects.toThrow(/has 2 GGUF files; choose with files/);
    expect((await pull("org/tiny", { ...options, files: ["*Q8_0.gguf"] })).files).toEqual(["tiny-Q8_0.gguf"]);
    await expect(pull("org/tiny", { ...options, files: ["*Q2*"] })).rejects.toThrow(/has no file "\*Q2\*"/);
  });

  it("never takes pickles", async () => {
    files.delete("model.safetensors");
    await expect(pull("org/tiny", options)).rejects.toThrow(UnsupportedError);
    await expect(pull("org/tiny", { ...options, files: ["*.bin"] })).rejects.toThrow(
      /pytorch_model.bin is a Python pickle/,
    );
    expect(requests.some((path) => path.includes("pytorch_model.bin"))).toBe(false);
  });

  it("pins a commit, and takes a branch or tag", async () => {
    await pull("org/tiny", { ...options, revision: commit });
    expect(await readdir(join(cacheDir, "models--org--tiny"))).not.toContain("refs");
    await pull("org/tiny", { ...options, revision: "v1" });
    expect(await readdir(join(cacheDir, "models--org--tiny", "refs"))).toEqual(["v1"]);
  });

  it("says what to do when it is refused", async () => {
    await expect(pull("org/gated", options)).rejects.toThrow(
      /answers 401: it is private or gated: accept its conditions/,
    );
    await expect(pull("org/gated", { ...options, token: "hf_right" })).resolves.toMatchObject({ commit });
    await expect(pull("org/none", options)).rejects.toThrow(/answers 404: there is no such repository/);
    await expect(pull("org/tiny", { ...options, revision: "v9" })).rejects.toThrow(/answers 404/);
    await expect(pull("org/tiny", { ...options, hubUrl: "http://127.0.0.1:1" })).rejects.toThrow(/cannot be reached/);
    for (const name of ["../../etc", "a/b/c", "org/..", ""])
      await expect(pull(name, options)).rejects.toThrow(ConfigError);
    await expect(pull("org/tiny", { ...options, revision: "a/../../b" })).rejects.toThrow(/inside the repository/);
  });

  it("refuses a listing that leads out of the cache", async () => {
    files.set("../../evil.json", Buffer.from("{}"));
    await expect(pull("org/tiny", options)).rejects.toThrow(/inside the repository, found "..\/..\/evil.json"/);
  });
});

describe("offline", () => {
  it("finds snapshots in the cache and asks nobody", async () => {
    const online = await pull("org/tiny", options);
    requests = [];
    expect(await pull("org/tiny", { ...options, offline: true })).toEqual(online);
    expect(await pull("org/tiny", { ...options, offline: true, revision: commit })).toEqual(online);
    expect(requests).toEqual([]);
  });

  it("says what is missing", async () => {
    const offline = { ...options, offline: true };
    await expect(pull("org/tiny", offline)).rejects.toThrow(
      /org\/tiny@main is not in the cache .*run once without offline/,
    );
    await pull("org/tiny", options);
    await expect(pull("org/tiny", { ...offline, revision: "v1" })).rejects.toThrow(/tiny@v1 is not in the cache/);
    await rm(join(cacheDir, "models--org--tiny", "snapshots", commit, "config.json"));
    await expect(pull("org/tiny", offline)).rejects.toThrow(/not complete in the cache: config.json is missing/);
  });
});

describe("resolveModel", () => {
  it("gives paths as they are and pulls names, with a revision after @", async () => {
    expect(await resolveModel(cacheDir, options)).toBe(cacheDir);
    const folder = await resolveModel("org/tiny@v1", options);
    expect((await lstat(join(folder, "config.json"))).isSymbolicLink()).toBe(true);
    expect(await resolveModel("org/tiny@v1", { ...options, offline: true })).toBe(folder);
  });

  it("refuses what is neither", async () => {
    for (const name of ["missing-folder", "./a/b", "a/b/c", "org/tiny@", "org/tiny@a@b"]) {
      await expect(resolveModel(name, options)).rejects.toThrow(CheckpointError);
    }
  });
});

describe("data sets", () => {
  const rows = Buffer.from('{"text": "Once"}\n');
  beforeEach(() => {
    files = new Map([
      ["README.md", Buffer.from("# tiny")],
      ["dataset_infos.json", text({})],
      ["data/train.jsonl", rows],
      ["data/validation.json", text([{ text: "Upon" }])],
    ]);
  });

  it("are their files of rows, in the layout of Hugging Face's libraries", async () => {
    const folder = await resolveDataset("hf:org/tiny@v1", options);
    expect(folder).toBe(join(cacheDir, "datasets--org--tiny", "snapshots", commit));
    expect(await readdir(folder, { recursive: true })).toEqual(["data", "data/train.jsonl", "data/validation.json"]);
    expect(await readFile(join(folder, "data/train.jsonl"))).toEqual(rows);
    expect(requests.every((path) => path.includes("datasets/org/tiny") || path.startsWith("/cdn/"))).toBe(true);
    expect(await resolveDataset("hf:org/tiny@v1", { ...options, offline: true })).toBe(folder);
    expect((await pullDataset("org/tiny", { ...options, offline: true, revision: "v1" })).files).toHaveLength(2);
    expect(await resolveDataset(cacheDir, options)).toBe(cacheDir);
  });

  it("say what is wrong", async () => {
    files = new Map([["data/train.parquet", Buffer.alloc(4)]]);
    await expect(pullDataset("org/tiny", options)).rejects.toThrow(
      /org\/tiny@main has no JSON or JSONL: data\/train.parquet/,
    );
    await expect(pullDataset("org/none", options)).rejects.toThrow(/answers 404: there is no such repository/);
    for (const name of ["org/tiny", "hf:a/b/c", "hf:org/tiny@", "hf:org/tiny@a@b"]) {
      await expect(resolveDataset(name, options)).rejects.toThrow(/hf:org\/name or hf:org\/name@revision/);
    }
  });
});
