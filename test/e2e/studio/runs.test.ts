/** @file A tuning run in a browser: started from a file, watched in two tabs, paused, gone on with, ended, compared and downloaded. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noChromium } from "../../support/chromium.js";
import { colourRows, writeColourModel } from "../../support/colour-model.js";
import { showStudio } from "../../support/shown-studio.js";

describe.skipIf(noChromium)(`runs in a browser ${noChromium ?? ""}`, () => {
  const shown = showStudio(async (root) => {
    await writeColourModel(join(root, "colours"));
    await writeFile(join(root, "rows.jsonl"), colourRows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    await writeFile(join(root, "wrong.jsonl"), '{"instruction": "Paint.", "output": "Red."}\n{"instruction": 7}\n');
    return { folder: root, workspace: join(root, "workspace"), base: join(root, "colours") };
  });

  it("says at the field what is wrong with a file, and trains on one that is right", async () => {
    const [page, other] = [await shown.open("#/runs"), await shown.open("#/runs")];
    await page.getByText("Nothing has been trained here yet").waitFor();
    await page.getByRole("link", { name: "New run" }).click();
    await page.getByLabel("Name").fill("Colours");
    await page.getByLabel("Learning rate").fill("0.02");
    await page.getByLabel("Steps, instead of passes").fill("4000");
    const file = page.getByLabel(/or send a file/);
    await file.setInputFiles(join(shown.root, "wrong.jsonl"));
    await page.getByText(/wrong\.jsonl, /).waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    const fault = page.locator(".field", { hasText: "Examples to learn from" }).getByRole("alert");
    await fault.getByText(/wrong\.jsonl:2: /).waitFor({ timeout: 30_000 });
    expect(shown.takeRefusals(400)).toBe(1);

    await file.setInputFiles(join(shown.root, "rows.jsonl"));
    await page.getByText(/rows\.jsonl, /).waitFor();
    await page.getByRole("button", { name: "Start" }).click();
    await other.getByRole("link", { name: "Colours" }).waitFor({ timeout: 30_000 });
    const chart = other.getByRole("img", { name: /^Loss.*training from .* at step 1 to .* at step \d/ });
    await chart.waitFor({ timeout: 30_000 });
    await page.reload();
    await page.getByRole("button", { name: "Pause" }).click();
    await other.getByText("paused").first().waitFor();
    const { id, progress } = shown.studio.live.current.runs[0]!;
    await other.getByRole("button", { name: "Resume" }).click();
    await page
      .getByText(/running, \d+ %/)
      .first()
      .waitFor();
    for await (const _ of shown.studio.live.events(AbortSignal.timeout(30_000))) {
      if (shown.studio.live.current.runs[0]!.progress!.step > progress!.step + 20) break;
    }
    await page.getByRole("button", { name: "End for good" }).click();
    await other.getByText("early: it was ended by hand").waitFor({ timeout: 30_000 });
    await expect.poll(() => shown.studio.live.current.runs[0]).toMatchObject({ status: "done", base: "colours" });

    await page.getByRole("heading", { name: "What it writes" }).waitFor();
    await page
      .getByText("Before the first step")
      .or(page.getByText(/Show all/))
      .first()
      .waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "adapter_model.safetensors" }).click();
    const kept = await (await download).path();
    const own = join(shown.root, "workspace", "runs", id, "adapter", "adapter_model.safetensors");
    expect((await readFile(kept)).equals(await readFile(own))).toBe(true);
    await page.getByRole("button", { name: "Write" }).click();
    await other.getByText("Writing Colours as gguf (F16)").waitFor();
    await page.getByRole("link", { name: "gguf-F16/model.gguf" }).waitFor({ timeout: 30_000 });
  }, 120_000);
});
