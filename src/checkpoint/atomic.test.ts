/** @file Tests that interrupted writing leaves the old state, and that the next write cleans up. */

import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFolder, removeFolder, replaceFiles, writeDurably } from "./atomic.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tessera-atomic-"));
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

function* failing(): Generator<Uint8Array> {
  yield bytes("new");
  throw new Error("no more");
}

/** A process id that no process has any more. */
function deadPid(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}

describe("replaceFiles", () => {
  it("replaces several files", async () => {
    const paths = ["a", "b"].map((name) => join(folder, name));
    await writeFile(paths[0]!, "old");
    await replaceFiles(paths.map((path) => [path, [bytes("n"), bytes("ew")]]));
    for (const path of paths) expect(await readFile(path, "utf8")).toBe("new");
  });

  it("replaces none when one fails, and says so", async () => {
    const [first, second] = [join(folder, "a"), join(folder, "b")];
    await writeFile(first, "old");
    const writing = replaceFiles([
      [first, [bytes("new")]],
      [second, failing()],
    ]);
    await expect(writing).rejects.toThrow(/writing .*a, .*b: no more; nothing was changed$/);
    expect(await readFile(first, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["a"]);
  });

  it("refuses a folder that is missing", async () => {
    await expect(replaceFiles([[join(folder, "x", "a"), []]])).rejects.toThrow(/ENOENT.*nothing was changed/);
  });

  it("writes pieces above the block size whole", async () => {
    const large = new Uint8Array(20 * 2 ** 20 + 3).map((_, i) => i);
    await replaceFiles([[join(folder, "a"), [large]]]);
    expect(Buffer.compare(await readFile(join(folder, "a")), large)).toBe(0);
  });
});

describe("createFolder", () => {
  it("appears complete", async () => {
    const path = join(folder, "x", "y");
    await createFolder(path, (temporary) => writeDurably(join(temporary, "a"), [bytes("new")]));
    expect(await readdir(join(folder, "x"))).toEqual(["y"]);
    expect(await readFile(join(path, "a"), "utf8")).toBe("new");
  });

  it("leaves nothing when filling fails", async () => {
    const creating = createFolder(join(folder, "x"), (temporary) => writeDurably(join(temporary, "a"), failing()));
    await expect(creating).rejects.toThrow(/writing .*x: no more; nothing was changed/);
    expect(await readdir(folder)).toEqual([]);
  });

  it("does not replace a folder with contents", async () => {
    const path = join(folder, "x");
    await mkdir(path);
    await writeFile(join(path, "a"), "old");
    await expect(createFolder(path, async () => {})).rejects.toThrow(/ENOTEMPTY|EEXIST/);
    expect(await readdir(folder)).toEqual(["x"]);
  });
});

it("removes what dead processes left, and nothing else", async () => {
  const dead = [`a.tmp-${deadPid()}-0123abcd-0123abcd`, `a.tmp-${process.pid}-0123abcd-0123abcd`];
  const alive = [`b.tmp-${process.ppid}-0123abcd-0123abcd`, "c.tmp-1-2", "d.tmp"];
  for (const name of [...dead, ...alive]) await mkdir(join(folder, name));
  await replaceFiles([[join(folder, "e"), [bytes("new")]]]);
  expect((await readdir(folder)).sort()).toEqual([...alive, "e"].sort());
});

it("removes folders", async () => {
  await mkdir(join(folder, "x", "y"), { recursive: true });
  await removeFolder(join(folder, "x"));
  expect(await readdir(folder)).toEqual([]);
  await expect(removeFolder(join(folder, "x"))).rejects.toThrow(/removing .*x: ENOENT/);
});

// a file size limit makes the kernel refuse a write in the middle, as a full disk does
it.skipIf(process.platform === "win32")("keeps the old file when the disk takes no more, and says why", async () => {
  const path = join(folder, "a");
  await writeFile(path, "old");
  const code = `
    import { replaceFiles } from ${JSON.stringify(new URL("./atomic.ts", import.meta.url).href)};
    const pieces = Array.from({ length: 64 }, () => new Uint8Array(2 ** 20));
    await replaceFiles([[${JSON.stringify(path)}, pieces]]).catch((error) => console.log(error.name, error.message));`;
  const child = spawnSync(
    "sh",
    ["-c", 'ulimit -f 32768; exec "$0" "$@"', process.execPath, "--import", "tsx", "--input-type=module", "-e", code],
    {
      cwd: fileURLToPath(new URL("../../", import.meta.url)),
      encoding: "utf8",
    },
  );
  expect(child.stdout).toMatch(/^CheckpointError writing .*: EFBIG.*; nothing was changed/);
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(folder)).toEqual(["a"]);
});
