/** @file Scanning real folders: documents, reasons for the rest, links, errors. */
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PdfPage, pdfFile } from "../../test/support/pdf.js";
import { ConfigError, DataError } from "../base/errors.js";
import type { Document, ScanEntry } from "./document.js";
import { type ScanOptions, scanFolder } from "./scan-folder.js";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "scan-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function write(files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

async function scan(path = root, options: ScanOptions = {}): Promise<ScanEntry[]> {
  const entries: ScanEntry[] = [];
  for await (const entry of scanFolder(path, options)) entries.push(entry);
  return entries;
}

/** `path` of each document, `path: reason` of each skip. */
async function outcome(options: ScanOptions = {}): Promise<string[]> {
  return (await scan(root, options)).flatMap((entry) => {
    if (entry.kind === "summary") return [];
    return entry.kind === "document" ? entry.path : `${entry.path}: ${entry.reason}`;
  });
}

describe("scanFolder", () => {
  it("gives documents with their bytes' hash, size and type", async () => {
    const text = "# Äpfel\r\n\r\n漢字 👍\r\n";
    await write({ "docs/a.md": text });
    const bytes = Buffer.from(text);
    expect(await scan()).toEqual([
      {
        kind: "document",
        path: "docs/a.md",
        text,
        hash: createHash("sha256").update(bytes).digest("hex"),
        numBytes: bytes.length,
        mediaType: "text/markdown",
      },
      { kind: "summary", numDocuments: 1, numIgnored: 0, numSkipped: new Map() },
    ]);
  });

  it("names pages that are pictures after their document", async () => {
    const page: PdfPage = { texts: [{ x: 72, y: 700, text: "Words." }] };
    const scanned: PdfPage = { hasPicture: true };
    await write({ "a.pdf": pdfFile([page, scanned, scanned, page, scanned]), "b.pdf": pdfFile([scanned, page]) });
    const entries = await scan();
    expect(entries.map((entry) => (entry.kind === "skip" ? `${entry.path}: ${entry.detail}` : entry.kind))).toEqual([
      "document",
      "a.pdf: pages 2-3, 5 are pictures; run OCR on the file to read them",
      "document",
      "b.pdf: page 1 is a picture; run OCR on the file to read it",
      "summary",
    ]);
    expect(entries.at(-1)).toMatchObject({ numDocuments: 2, numSkipped: new Map([["pages without text", 2]]) });
  });

  it("goes through folders and names in the order of code units", async () => {
    await write({
      "b.md": "x",
      "a/z.md": "x",
      "a/b/c.md": "x",
      "B.md": "x",
      "a.md": "x",
      "ä.md": "x",
      "10.md": "x",
      "9.md": "x",
    });
    expect(await outcome()).toEqual(["10.md", "9.md", "B.md", "a/b/c.md", "a/z.md", "a.md", "b.md", "ä.md"]);
  });

  it("knows Markdown and plain text by their names", async () => {
    await write(
      Object.fromEntries(
        ["a.md", "b.MD", "c.markdown", "d.mdx", "e.txt", "f.text", "g.rst", "README", "license", "h.adoc"].map(
          (path) => [path, "x"],
        ),
      ),
    );
    const found = (await scan()).filter((entry): entry is Document => entry.kind === "document");
    expect(found.filter(({ mediaType }) => mediaType === "text/markdown").map(({ path }) => path)).toEqual([
      "a.md",
      "b.MD",
      "c.markdown",
      "d.mdx",
    ]);
    expect(found.filter(({ mediaType }) => mediaType === "text/plain").map(({ path }) => path)).toEqual([
      "README",
      "e.txt",
      "f.text",
      "g.rst",
      "h.adoc",
      "license",
    ]);
  });

  it("says why each other file is no document", async () => {
    await write({
      "ok.md": "x",
      "image.png": "x",
      Makefile: "x",
      "empty.md": "",
      "blank.md": " \n\u00a0\r\n",
      "mark.md": "\ufeff",
      "zero.md": "a\0b",
      "latin1.md": Uint8Array.of(0x61, 0xe4, 0x62),
      "surrogate.md": Uint8Array.of(0xed, 0xa0, 0x80),
      "utf16.md": Uint8Array.of(0xff, 0xfe, 0x61, 0xd8, 0x61, 0),
      "utf16be.md": Uint8Array.of(0xfe, 0xff, 0, 0x61, 0),
      "utf32.md": Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0),
      "old.doc": "x",
      "large.md": "x".repeat(11),
    });
    expect(await outcome({ maxBytes: 10 })).toEqual([
      "Makefile: unsupported type",
      "blank.md: empty",
      "empty.md: empty",
      "image.png: unsupported type",
      "large.md: too large",
      "latin1.md: not UTF-8",
      "mark.md: empty",
      "ok.md",
      "old.doc: legacy format",
      "surrogate.md: not UTF-8",
      "utf16.md: not UTF-16",
      "utf16be.md: not UTF-16",
      "utf32.md: binary",
      "zero.md: binary",
    ]);
  });

  it("leaves the byte order mark out of the text and in the hash", async () => {
    await write({ "a.md": "\ufeff# A\ufeff" });
    const [document] = await scan();
    expect(document).toMatchObject({
      text: "# A\ufeff",
      numBytes: 9,
      hash: createHash("sha256").update("\ufeff# A\ufeff").digest("hex"),
    });
  });

  it("counts hidden files and node_modules without looking into them", async () => {
    await write({ "a.md": "x", ".git/config": "x", ".b.md": "x", "node_modules/p/README.md": "x", "sub/.x/y.md": "x" });
    expect(await scan()).toMatchObject([{ path: "a.md" }, { kind: "summary", numDocuments: 1, numIgnored: 4 }]);
  });

  it("decodes UTF-16 that says its byte order", async () => {
    const little = Buffer.from("\ufeff漢 👍", "utf16le");
    await write({ "a.md": little, "b.md": Buffer.from(little).swap16() });
    expect(await scan()).toMatchObject([{ text: "漢 👍" }, { text: "漢 👍" }, { kind: "summary" }]);
  });

  it("reads source code by its language, and other endings as plain text, when asked to", async () => {
    await write({ "a.ts": "x", "b.PY": "x", "c.log": "x" });
    expect(await outcome({ plainTextExtensions: [".log"] })).toEqual([
      "a.ts: unsupported type",
      "b.PY: unsupported type",
      "c.log",
    ]);
    expect(await scan(root, { code: true })).toMatchObject([
      { path: "a.ts", mediaType: "text/x-typescript" },
      { path: "b.PY", mediaType: "text/x-python" },
      { path: "c.log", reason: "unsupported type" },
      { kind: "summary" },
    ]);
    await expect(scan(root, { plainTextExtensions: ["ts"] })).rejects.toThrow(ConfigError);
  });

  it("follows links inside the folder, and no loop nor way out", async () => {
    await write({ "a/x.md": "x", ".hidden/y.md": "y" });
    await symlink(join(root, "a", "x.md"), join(root, "file.md"));
    await symlink(join(root, ".hidden"), join(root, "folder"));
    await symlink("../.hidden", join(root, "a", "again"));
    await symlink("..", join(root, "a", "up"));
    await symlink("self.md", join(root, "self.md"));
    await symlink("nowhere.md", join(root, "broken.md"));
    await symlink(tmpdir(), join(root, "out"));
    expect(await outcome()).toEqual([
      "a/again/y.md",
      "a/up: link loop",
      "a/x.md",
      "broken.md: broken link",
      "file.md",
      "folder: repeated link",
      "out: link out of the folder",
      "self.md: link loop",
    ]);
  });

  it("goes on when a file disappears or may not be read", async () => {
    await write({ "a.md": "x", "b.md": "x", "c/d.md": "x" });
    const entries: string[] = [];
    for await (const entry of scanFolder(root)) {
      if (entry.kind === "document") await rm(join(root, "b.md"), { force: true });
      if (entry.kind !== "summary") entries.push(`${entry.path}: ${entry.kind === "skip" ? entry.reason : ""}`);
    }
    expect(entries).toEqual(["a.md: ", "b.md: unreadable", "c/d.md: "]);
  });

  it.skipIf(process.getuid?.() === 0)("reports what permissions forbid (skips as root, who may read all)", async () => {
    await write({ "a.md": "x", "b.md": "x", "c/d.md": "x" });
    await chmod(join(root, "a.md"), 0);
    await chmod(join(root, "c"), 0);
    expect(await outcome()).toEqual(["a.md: unreadable", "b.md", "c: unreadable"]);
    await chmod(join(root, "c"), 0o700);
  });

  it("reads a single file", async () => {
    await write({ "a.md": "x" });
    expect(await scan(join(root, "a.md"))).toMatchObject([{ path: "a.md", text: "x" }, { kind: "summary" }]);
  });

  it("refuses a root that does not exist, and one without documents", async () => {
    await expect(scan(join(root, "missing"))).rejects.toThrow(/missing: it does not exist/);
    await expect(scan()).rejects.toThrow(/no document to read: it is empty/);
    await write({ "a.xyz": "x", "b.xyz": "x", "c.md": "", ".d.md": "x" });
    await expect(scan()).rejects.toThrow(DataError);
    await expect(scan()).rejects.toThrow(
      /2 unsupported type \(such as a\.xyz: .*\.xyz\); 1 empty \(.*\); 1 hidden or in node_modules/,
    );
  });

  it("refuses a file of a gigabyte without reading it", async () => {
    await write({ "a.md": "x", "b.md": "x" });
    await truncate(join(root, "b.md"), 2 ** 30);
    expect(await outcome()).toEqual(["a.md", "b.md: too large"]);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31])("refuses maxBytes %d", async (maxBytes) => {
    await expect(scan(root, { maxBytes })).rejects.toThrow(ConfigError);
  });
});
