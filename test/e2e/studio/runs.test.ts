/** @file A tuning run in a browser: started from a file, watched in two tabs, paused, gone on with, ended, compared and downloaded. */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStudio, type Studio } from "../../../src/pipeline/studio/studio.js";
import { listen, type RunningServer } from "../../../src/server/adapters/node.js";
import { createStudioApp } from "../../../src/server/studio/app.js";
import { buildStudio } from "../../support/built-studio.js";
import { noChromium, openChromium } from "../../support/chromium.js";
import { colourRows, writeColourModel } from "../../support/colour-model.js";

describe.skipIf(noChromium)(`runs in a browser ${noChromium ?? ""}`, () => {
  let root: string;
  let studio: Studio;
  let server: RunningServer;
  let browser: Browser;
  const faults: string[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tessera-runs-page-"));
    await writeColourModel(join(root, "colours"));
    await writeFile(join(root, "rows.jsonl"), colourRows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    await writeFile(join(root, "wrong.jsonl"), '{"instruction": "Paint.", "output": "Red."}\n{"instruction": 7}\n');
    studio = await openStudio({ folder: root, workspace: join(root, "workspace"), base: join(root, "colours") });
    server = await listen(createStudioApp(studio, { assets: await buildStudio() }), { port: 0 });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await studio?.[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
  });

  async function open(hash: string): Promise<Page> {
    const page = await browser.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) faults.push(`left the machine: ${request.url()}`);
    });
    await page.goto(server.url + hash);
    return page;
  }

  it("says at the field what is wrong with a file, and trains on one that is right", async () => {
    const [page, other] = [await open("#/runs"), await open("#/runs")];
    await page.getByText("Nothing has been trained here yet").waitFor();
    await page.getByRole("link", { name: "New run" }).click();
    await page.getByLabel("Name").fill("Colours");
    await page.getByLabel("Learning rate").fill("0.02");
    await page.getByLabel("Steps, instead of passes").fill("4000");
    const file = page.getByLabel(/or send a file/);
    await file.setInputFiles(join(root, "wrong.jsonl"));
    await page.getByText(/wrong\.jsonl, /).waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    const fault = page.locator(".field", { hasText: "Examples to learn from" }).getByRole("alert");
    await fault.getByText(/wrong\.jsonl:2: /).waitFor({ timeout: 30_000 });

    await file.setInputFiles(join(root, "rows.jsonl"));
    await page.getByText(/rows\.jsonl, /).waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    await other.getByRole("link", { name: "Colours" }).waitFor({ timeout: 30_000 });
    const chart = other.getByRole("img", { name: /^Loss.*training from .* at step 1 to .* at step \d/ });
    await chart.waitFor({ timeout: 30_000 });
    await page.reload();
    await page.getByRole("button", { name: "Pause" }).click();
    await other.getByText("paused").first().waitFor();
    const { id, progress } = studio.live.current.runs[0]!;
    await other.getByRole("button", { name: "Resume" }).click();
    await page
      .getByText(/running, \d+ %/)
      .first()
      .waitFor();
    for await (const _ of studio.live.events(AbortSignal.timeout(30_000))) {
      if (studio.live.current.runs[0]!.progress!.step > progress!.step + 20) break;
    }
    await page.getByRole("button", { name: "End for good" }).click();
    await other.getByText("early: it was ended by hand").waitFor({ timeout: 30_000 });
    expect(studio.live.current.runs[0]).toMatchObject({ status: "done", base: "colours" });

    await page.getByRole("heading", { name: "What it writes" }).waitFor();
    await page
      .getByText("Before the first step")
      .or(page.getByText(/Show all/))
      .first()
      .waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "adapter_model.safetensors" }).click();
    const kept = await (await download).path();
    const own = join(root, "workspace", "runs", id, "adapter", "adapter_model.safetensors");
    expect((await readFile(kept)).equals(await readFile(own))).toBe(true);
    await page.getByRole("button", { name: "Write" }).click();
    await other.getByText("Writing Colours as gguf (F16)").waitFor();
    await page.getByRole("link", { name: "gguf-F16/model.gguf" }).waitFor({ timeout: 30_000 });
    expect(faults).toEqual([]);
  }, 120_000);
});
