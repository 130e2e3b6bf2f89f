/** @file The main job in a browser: a folder is read, indexed and trained on while two tabs watch, stopped, gone on with and ended, then asked. */

import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { noChromium } from "../../support/chromium.js";
import { showStudio } from "../../support/shown-studio.js";

describe.skipIf(noChromium)(`the main job in a browser ${noChromium ?? ""}`, () => {
  const shown = showStudio(async (root) => {
    const folder = join(root, "docs");
    await cp(fileURLToPath(new URL("../../../docs/adding", import.meta.url)), folder, { recursive: true });
    await writeFile(join(folder, "picture.md"), new Uint8Array([137, 80, 78, 71, 0, 1, 2]));
    return { folder, workspace: join(root, "workspace"), seconds: 30 };
  });

  async function open(): Promise<Page> {
    const page = await shown.open();
    page.setDefaultTimeout(60_000);
    return page;
  }

  it("is shown in every tab, survives a reload, stops with a checkpoint, goes on and ends for good", async () => {
    const [page, other] = [await open(), await open()];
    await page.getByRole("button", { name: "Index and train" }).click();
    await other.getByText(/Step \d+ of \d+, loss/).waitFor({ timeout: 90_000 });
    await page.reload();
    await page.getByRole("button", { name: "Pause" }).click();
    await other.getByText("Stopped with a checkpoint").waitFor();
    const { step } = shown.studio.live.current.job.progress!;
    expect(step).toBeGreaterThan(0);
    await other.getByRole("button", { name: "Go on" }).click();
    await other.getByRole("link", { name: "Runs" }).click();
    await other.getByRole("link", { name: "Main job" }).click();
    for await (const _ of shown.studio.live.events(AbortSignal.timeout(60_000))) {
      const { progress } = shown.studio.live.current.job;
      if (progress && progress.step > Math.max(step, progress.steps / 4)) break;
    }
    await other.getByRole("button", { name: "End for good" }).click();
    await other.getByText("early: it was ended by hand").waitFor();
    await page.getByText(/Perplexity on held-out text/).waitFor();
    const { plan, result } = shown.studio.live.current.job;
    expect(result!.steps).toBeLessThan(plan!.steps);
    await page.getByText("picture.md").or(page.getByText("1 left out")).first().waitFor();
    const { perplexityBefore, perplexityAfter } = shown.studio.live.current.job.result!;
    expect(perplexityAfter).toBeLessThan(perplexityBefore / 2);

    await page.getByRole("searchbox").fill("What proves that a store is right?");
    await page.keyboard.press("Enter");
    const citation = page.locator(".quote a").first();
    const place = new URLSearchParams((await citation.getAttribute("href"))!.split("?")[1]);
    await citation.click();
    const marks = page.locator("main mark");
    await marks.first().waitFor();
    const source = await readFile(join(shown.root, "docs", place.get("path")!), "utf8");
    const cited = source.slice(Number(place.get("start")), Number(place.get("end")));
    expect(cited.length).toBeGreaterThan(10);
    await expect.poll(async () => (await marks.allTextContents()).join("")).toBe(cited);
  }, 180_000);
});
