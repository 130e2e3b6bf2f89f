/** @file Documents in a browser: the real text with its chunks, a span from an address, other cuts, the index made anew. */

import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { KnowledgeBase } from "../../../src/pipeline/knowledge-base/knowledge-base.js";
import { noChromium } from "../../support/chromium.js";
import { pdfFile } from "../../support/pdf.js";
import { showStudio } from "../../support/shown-studio.js";

const hostile = "# Notes\n\n<script>fetch('https://evil.example')</script> <img src=x onerror=alert(1)>\n";
const chinese = `# 气泵\n\n${"气泵在四十度时启动。九分钟后停止。\n\n".repeat(60)}`;
const paragraphs = Array.from({ length: 5000 }, (_, i) => `Paragraph ${i}: the valve opens above ${i % 7} bar.`);
const long = `# Valves\n\n${paragraphs.join("\n\n")}\n`;

/** Of what a page comes to: the machine may be busy. */
const patient = { timeout: 8000 };

describe.skipIf(noChromium)(`documents in a browser ${noChromium ?? ""}`, () => {
  const shown = showStudio(async (root) => {
    const folder = join(root, "docs");
    const source = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
    await cp(source("docs/adding"), join(folder, "adding"), { recursive: true });
    await cp(source("src/chunk/packer.ts"), join(folder, "packer.ts"));
    await writeFile(join(folder, "notes.md"), hostile);
    await writeFile(join(folder, "气泵.md"), chinese);
    await writeFile(join(folder, "long.md"), long);
    const texts = [{ x: 72, y: 700, text: "The pump is serviced on this page of the manual." }];
    await writeFile(join(folder, "manual.pdf"), pdfFile([{ texts }, { texts }]));
    await writeFile(join(folder, "picture.png"), new Uint8Array([137, 80, 78, 71]));
    const settings = { embedder: "none", code: true, maxTokens: 64, overlapTokens: 16 };
    const workspace = join(root, "workspace");
    {
      await using knowledge = await KnowledgeBase.open(folder, { workspace, settings });
      await knowledge.sync();
    }
    return { folder, workspace };
  });

  const open = (place: string, viewport = { width: 1280, height: 800 }): Promise<Page> =>
    shown.open(place, { viewport });
  const addressOf = (path: string, place = {}): string => `#/documents?${new URLSearchParams({ path, ...place })}`;
  const chunkCount = async (page: Page): Promise<number> => {
    const text = await page.getByLabel("What this comes to").textContent();
    return Number(/([\d,]+) chunk/.exec(text!)![1]!.replaceAll(",", ""));
  };

  it("shows the folder, and each document's whole text with its chunks over it", async () => {
    const page = await open("#/documents");
    await page.getByText("1 file left out").click();
    await page.getByText("unsupported type").waitFor();
    const texts = { "notes.md": hostile, "气泵.md": chinese, "long.md": long };
    for (const [name, text] of Object.entries(texts)) {
      await page.getByRole("link", { name }).click();
      await page.getByRole("heading", { name, level: 1 }).waitFor();
      expect(await page.getByRole("feed").textContent()).toBe(text);
    }
    await page.getByRole("link", { name: "manual.pdf" }).click();
    await page.getByText("PDF read as Markdown · 2 pages").waitFor();
    expect(await page.getByRole("article").first().getAttribute("aria-label")).toContain("page 1");
    await page.getByRole("link", { name: "packer.ts" }).click();
    const packer = await readFile(join(shown.root, "docs", "packer.ts"), "utf8");
    await expect.poll(() => page.getByRole("feed").textContent(), patient).toBe(packer);
    expect(await page.getByRole("article", { name: /Packer/ }).count()).toBeGreaterThan(0);
  });

  it("opens a span from its address: marked, in the window and with the focus, in a long document too", async () => {
    const start = long.indexOf("Paragraph 4321:");
    const end = long.indexOf("Paragraph 4322:") - 2;
    const page = await open(addressOf("long.md", { start, end }));
    const mark = page.locator("mark");
    await mark.first().waitFor();
    await expect.poll(() => page.evaluate("document.activeElement.tagName"), patient).toBe("MARK");
    expect((await mark.allTextContents()).join("")).toBe(long.slice(start, end));
    await expect
      .poll(async () => {
        const { y } = (await mark.first().boundingBox())!;
        return y > 0 && y < 800;
      }, patient)
      .toBe(true);
    // a span over the bounds of chunks is as long as it was
    const [from, to] = [chinese.indexOf("气泵在"), chinese.length - 40];
    await page.goto(shown.url + addressOf("气泵.md", { start: from, end: to }));
    await page.getByRole("heading", { name: "气泵.md" }).waitFor();
    await expect.poll(async () => (await mark.allTextContents()).join(""), patient).toBe(chinese.slice(from, to));
  });

  it("goes from chunk to chunk with the arrow keys and says what each is", async () => {
    const page = await open(addressOf("long.md"));
    await page.getByRole("feed").focus();
    await page.keyboard.press("Home");
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown");
    const card = page.getByRole("region", { name: "Chunk" });
    await card.getByText("Chunk 4").waitFor();
    await card.getByText(/\d+ of at most 64/).waitFor();
    await page.keyboard.press("End");
    await expect.poll(() => page.evaluate("document.activeElement.textContent"), patient).toContain("Paragraph 4999");
  });

  it("draws only what is near the window, wherever that is", async () => {
    const page = await open(addressOf("long.md"));
    await page.getByRole("article").first().waitFor();
    expect(await chunkCount(page)).toBeGreaterThan(1000);
    await page.mouse.move(640, 600);
    for (let i = 0; i < 20; i++) await page.mouse.wheel(0, 4000);
    await expect.poll(() => page.getByRole("article", { name: "Chunk 1 of" }).count(), patient).toBe(0);
    const articles = page.getByRole("article");
    await expect.poll(() => articles.count(), patient).toBeGreaterThan(5);
    expect(await articles.count()).toBeLessThan(200);
    expect(await page.getByRole("feed").textContent()).toBe(long);
  });

  it("cuts by other settings at once, and uses them for the index in every tab", async () => {
    const [page, other] = [
      await open(addressOf("气泵.md")),
      await open(addressOf("气泵.md"), { width: 360, height: 740 }),
    ];
    const before = await chunkCount(page);
    await page.getByLabel("Cut", { exact: true }).selectOption("sentence");
    await page.getByLabel("Tokens of a chunk, at most", { exact: true }).fill("16");
    await page.getByLabel("Tokens repeated from the chunk before", { exact: true }).fill("0");
    await page.getByText("Tried on this document only").waitFor();
    await expect.poll(() => chunkCount(page), patient).toBeGreaterThan(3 * before);
    const tried = await chunkCount(page);
    expect(await page.getByRole("feed").textContent()).toBe(chinese);
    expect(
      await page
        .getByRole("option", { name: /semantic \(needs an index with vectors\)/ })
        .first()
        .isDisabled(),
    ).toBe(true);
    await page.getByLabel("Tokens repeated from the chunk before", { exact: true }).fill("16");
    await page.getByRole("alert").getByText("let it repeat fewer").waitFor();
    await page.getByLabel("Tokens repeated from the chunk before", { exact: true }).fill("0");
    await page.getByRole("button", { name: "Use for the index" }).click();
    await other.getByText("Cutting and indexing again").waitFor();
    await other.getByText(`characters · ${tried} chunks`).waitFor({ timeout: 20_000 });
    await page.getByText("The index is cut this way.").waitFor();
    expect(shown.studio.live.current.index!.cutting).toMatchObject({ chunker: "sentence", maxTokens: 16 });
    expect(shown.takeRefusals(400)).toBeGreaterThan(0);
  });
});
