/** @file A model in a browser: its parts, a matrix in numbers, and what its attention looks at. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import { loadModel } from "../../../src/presets/index.js";
import { seriousFaults } from "../../support/axe.js";
import { noChromium } from "../../support/chromium.js";
import { writeColourModel } from "../../support/colour-model.js";
import { showStudio } from "../../support/shown-studio.js";

describe.skipIf(noChromium)(`models in a browser ${noChromium ?? ""}`, () => {
  let page: Page;
  const shown = showStudio(async (root) => {
    await mkdir(join(root, "docs"));
    await writeColourModel(join(root, "colours"));
    await writeColourModel(join(root, "others"));
    return { folder: join(root, "docs"), workspace: join(root, "workspace"), base: join(root, "colours") };
  });
  beforeEach(async () => {
    page = await shown.open("#/models", { viewport: { width: 1280, height: 900 } });
  });

  it("shows every layer, and the numbers of a matrix where one points", async () => {
    const { parameters } = await loadModel(join(shown.root, "colours"));
    await page.getByText("Layer 1", { exact: true }).click();
    await page.locator("details", { hasText: "Layer 1" }).getByRole("button", { name: "mlp.up_proj.weight" }).click();
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
    const seen = page.getByText(/^In head 3/);
    await seen.waitFor();
    const first = page.locator(".token").first();
    await first.click();
    // nothing comes before it
    await expect.poll(() => seen.textContent()).toMatch(/looks at “[^”]+” \(100 %\)\.$/);
    expect(await page.locator(".token").allTextContents()).toContain("·red");
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await seriousFaults(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    }
    await page.getByLabel("Layer", { exact: true }).press("End");
    await page.getByText("of 0 to 1").waitFor();
    await expect.poll(() => page.getByLabel("Layer", { exact: true }).inputValue()).toBe("1");
    await page.getByLabel("A short text, up to 64 tokens").fill("red ".repeat(100));
    await page.getByRole("button", { name: "Look" }).click();
    await page.getByRole("alert").getByText("shorten it").waitFor();
    expect(shown.takeRefusals(400)).toBe(1);
  });

  it("lists a model that is made while the page is open", async () => {
    shown.studio.writers.add({ id: "tuned", label: "tuned on docs", kind: "tuned", model: join(shown.root, "others") });
    await page.getByLabel("Model to look into").selectOption("tuned");
    await page.getByRole("heading", { name: /parameters in/ }).waitFor();
    expect(page.url()).toContain("#/models?id=tuned");
  });
});
