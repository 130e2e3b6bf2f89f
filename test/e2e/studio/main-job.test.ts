/** @file The main job in a browser: a folder is read, indexed and trained on while two tabs watch, stopped and gone on with, then asked. */

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStudio, type Studio } from "../../../src/pipeline/studio/studio.js";
import { listen, type RunningServer } from "../../../src/server/adapters/node.js";
import { createStudioApp } from "../../../src/server/studio/app.js";
import { buildStudio } from "../../support/built-studio.js";
import { noChromium, openChromium } from "../../support/chromium.js";

describe.skipIf(noChromium)(`the main job in a browser ${noChromium ?? ""}`, () => {
  let root: string;
  let studio: Studio;
  let server: RunningServer;
  let browser: Browser;
  const faults: string[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tessera-studio-"));
    await cp(fileURLToPath(new URL("../../../docs/adding", import.meta.url)), join(root, "docs"), { recursive: true });
    await writeFile(join(root, "docs", "picture.md"), new Uint8Array([137, 80, 78, 71, 0, 1, 2]));
    studio = await openStudio({ folder: join(root, "docs"), workspace: join(root, "workspace"), seconds: 8 });
    server = await listen(createStudioApp(studio, { assets: await buildStudio() }), { port: 0 });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await studio?.[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
  });

  async function open(): Promise<Page> {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(message.text());
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== new URL(server.url).origin)
        faults.push(`left the machine: ${request.url()}`);
    });
    await page.goto(server.url);
    return page;
  }

  it("is shown in every tab, survives a reload, stops with a checkpoint and goes on", async () => {
    const [page, other] = [await open(), await open()];
    await page.getByRole("button", { name: "Index and train" }).click();
    await other.getByText(/Step \d+ of \d+, loss/).waitFor({ timeout: 90_000 });
    await page.reload();
    await page.getByRole("button", { name: "Pause" }).click();
    await other.getByText("Stopped with a checkpoint").waitFor();
    const { step } = studio.live.current.job.progress!;
    expect(step).toBeGreaterThan(0);
    await other.getByRole("button", { name: "Go on" }).click();
    await page.getByText(/Perplexity on held-out text/).waitFor({ timeout: 90_000 });
    await page.getByText("picture.md").or(page.getByText("1 left out")).first().waitFor();
    const { perplexityBefore, perplexityAfter } = studio.live.current.job.result!;
    expect(perplexityAfter).toBeLessThan(perplexityBefore / 2);

    await page.getByRole("searchbox").fill("What proves that a store is right?");
    await page.keyboard.press("Enter");
    const citation = page.locator(".quote a").first();
    const place = new URLSearchParams((await citation.getAttribute("href"))!.split("?")[1]);
    await citation.click();
    const marks = page.locator("main mark");
    await marks.first().waitFor();
    const source = await readFile(join(root, "docs", place.get("path")!), "utf8");
    const cited = source.slice(Number(place.get("start")), Number(place.get("end")));
    expect(cited.length).toBeGreaterThan(10);
    await expect.poll(async () => (await marks.allTextContents()).join("")).toBe(cited);
    expect(faults).toEqual([]);
  }, 180_000);
});
