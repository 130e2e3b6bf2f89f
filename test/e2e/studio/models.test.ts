/** @file A model in a browser: its parts, a matrix in numbers, and what its attention looks at. */

import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStudio, type Studio } from "../../../src/pipeline/studio/studio.js";
import { loadModel } from "../../../src/presets/index.js";
import { listen, type RunningServer } from "../../../src/server/adapters/node.js";
import { createStudioApp } from "../../../src/server/studio/app.js";
import { buildStudio } from "../../support/built-studio.js";
import { noChromium, openChromium } from "../../support/chromium.js";
import { writeColourModel } from "../../support/colour-model.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describe.skipIf(noChromium)(`models in a browser ${noChromium ?? ""}`, () => {
  let root: string;
  let studio: Studio;
  let server: RunningServer;
  let browser: Browser;
  let page: Page;
  const faults: string[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tessera-models-"));
    await mkdir(join(root, "docs"));
    await writeColourModel(join(root, "colours"));
    await writeColourModel(join(root, "others"));
    const base = join(root, "colours");
    studio = await openStudio({ folder: join(root, "docs"), workspace: join(root, "workspace"), base });
    server = await listen(createStudioApp(studio, { assets: await buildStudio() }), { port: 0 });
    browser = await openChromium();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") faults.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) faults.push(`left the machine: ${request.url()}`);
    });
    await page.goto(`${server.url}#/models`);
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await studio?.[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
    expect(faults).toEqual([]);
  });

  it("shows every layer, and the numbers of a matrix where one points", async () => {
    const { parameters } = await loadModel(join(root, "colours"));
    await page.getByText("Layer 1", { exact: true }).click();
    await page.getByRole("button", { name: "mlp.up_proj.weight" }).last().click();
    const name = "model.layers.1.mlp.up_proj.weight";
    const picture = page.getByRole("img", { name: `Mean size of the weights of ${name}` });
    await picture.scrollIntoViewIfNeeded();
    const { width, height } = (await picture.boundingBox())!;
    // 64 × 32 weights: one for each cell
    await picture.hover({ position: { x: (7.5 / 32) * width, y: (5.5 / 64) * height } });
    const weight = Math.abs(Number(parameters.get(name)!.data[5 * 32 + 7]));
    await page.getByText(`Rows 5, columns 7: mean size ${Number(weight.toPrecision(4)).toPrecision(3)}`).waitFor();
  });

  it("shows what each token looks at, in every head and layer", async () => {
    await page.getByLabel("A short text, up to 64 tokens").fill("Paint the sky red.");
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByRole("button", { name: "head 3" }).click();
    const shown = page.getByText(/^In head 3/);
    await shown.waitFor();
    const first = page.locator(".token").first();
    await first.click();
    // nothing comes before it
    await expect.poll(() => shown.textContent()).toMatch(/looks at “[^”]+” \(100 %\)\.$/);
    expect(await page.locator(".token").allTextContents()).toContain("·red");
    await page.evaluate(axe);
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 900 });
      const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
      expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    }
    await page.getByLabel("Layer", { exact: true }).press("End");
    await page.getByText("of 0 to 1").waitFor();
    await expect.poll(() => page.getByLabel("Layer", { exact: true }).inputValue()).toBe("1");
    await page.getByLabel("A short text, up to 64 tokens").fill("red ".repeat(100));
    faults.length = 0;
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByRole("alert").getByText("shorten it").waitFor();
    expect(faults.splice(0)).toEqual([expect.stringContaining("status of 400")]);
  });

  it("lists a model that is made while the page is open", async () => {
    studio.writers.add({ id: "tuned", label: "tuned on docs", kind: "tuned", model: join(root, "others") });
    await page.getByLabel("Model to look into").selectOption("tuned");
    await page.getByRole("heading", { name: /parameters in/ }).waitFor();
    expect(page.url()).toContain("#/models?id=tuned");
  });
});
