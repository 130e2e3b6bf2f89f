/** @file Plans in a browser: sliders move, the bar follows, what does not fit is made to fit, a run starts with the settings. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PlanAnswer, PlanRequest } from "../../../src/server/studio/wire/index.js";
import { noChromium } from "../../support/chromium.js";
import { writePlanModel } from "../../support/plan-model.js";
import { showStudio } from "../../support/shown-studio.js";

describe.skipIf(noChromium)(`plans in a browser ${noChromium ?? ""}`, () => {
  const shown = showStudio(async (root) => {
    await writePlanModel(join(root, "model"));
    return { folder: root, workspace: join(root, "workspace"), base: join(root, "model") };
  });

  it("shows what the server plans, finds changes that fit, and hands the settings to a run", async () => {
    const page = await shown.open("#/plan");
    await page.getByRole("heading", { name: "It fits" }).waitFor();
    await page.getByLabel("Method").first().selectOption("full");
    const request: PlanRequest = {
      ...{ base: join(shown.root, "model"), method: "full", algorithm: "backprop", precision: "float32" },
      ...{ length: 512, batchSize: 8, memoryBytes: 4 * 2 ** 30 },
    };
    const answer = (await shown.studio.plan.plan(request)) as PlanAnswer & { fits: true };
    const total = `${(answer.memory.total / 2 ** 20).toFixed(0)} MB`;
    await page.locator(".memory .total", { hasText: total }).waitFor();
    // to its least, by the keyboard
    await page.getByLabel(/Memory it may take/).press("Home");
    await page.getByRole("heading", { name: "It does not fit" }).waitFor();
    const change = page.getByRole("button", { name: /^Allow \d+ MB/ });
    await change.waitFor({ timeout: 20_000 });
    await change.click();
    await page.getByRole("heading", { name: "It fits" }).waitFor();
    await page
      .getByRole("row", { name: /^qlora/ })
      .getByRole("button")
      .first()
      .waitFor({ timeout: 20_000 });
    await page
      .getByRole("row", { name: /^lora-fa/ })
      .getByRole("button")
      .first()
      .click();
    await page.getByRole("link", { name: "Start a run with these settings" }).click();
    expect(await page.getByLabel("Method").inputValue()).toBe("lora-fa");
    expect(Number(await page.getByLabel("Tokens per row").inputValue())).toBe(256);
  }, 120_000);
});
