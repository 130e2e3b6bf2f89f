/** @file Plans in a browser: sliders move, the bar follows, what does not fit is made to fit, a run starts with the settings. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type JsonValue, writeModel } from "../../../src/checkpoint/index.js";
import { initialize, parameterSpecs } from "../../../src/nn/index.js";
import { openStudio, type Studio } from "../../../src/pipeline/studio/studio.js";
import { listen, type RunningServer } from "../../../src/server/adapters/node.js";
import { createStudioApp } from "../../../src/server/studio/app.js";
import type { PlanAnswer, PlanRequest } from "../../../src/server/studio/wire/index.js";
import { buildStudio } from "../../support/built-studio.js";
import { noChromium, openChromium } from "../../support/chromium.js";
import { tinyConfig, tinyModel } from "../../support/tiny-model.js";

/** Large enough that settings decide whether it fits a quarter of a gigabyte, the least budget of the page. */
const config = {
  ...tinyConfig,
  model_type: "llama" as const,
  vocab_size: 2048,
  hidden_size: 256,
  intermediate_size: 512,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  max_position_embeddings: 2048,
};

describe.skipIf(noChromium)(`plans in a browser ${noChromium ?? ""}`, () => {
  let root: string;
  let studio: Studio;
  let server: RunningServer;
  let browser: Browser;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tessera-plan-page-"));
    const tensors = initialize(parameterSpecs(tinyModel(config)), 1);
    await writeModel(join(root, "model"), { config: config as Record<string, JsonValue>, tensors, files: new Map() });
    studio = await openStudio({ folder: root, workspace: join(root, "workspace"), base: join(root, "model") });
    server = await listen(createStudioApp(studio, { assets: await buildStudio() }), { port: 0 });
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await studio?.[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
  });

  it("shows what the server plans, finds changes that fit, and hands the settings to a run", async () => {
    const page = await browser.newPage();
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) faults.push(`left the machine: ${request.url()}`);
    });
    await page.goto(`${server.url}#/plan`);
    await page.getByRole("heading", { name: "It fits" }).waitFor();
    await page.getByLabel("Method").first().selectOption("full");
    const request: PlanRequest = {
      ...{ base: join(root, "model"), method: "full", algorithm: "backprop", precision: "float32" },
      ...{ length: 512, batchSize: 8, memoryBytes: 4 * 2 ** 30 },
    };
    const answer = (await studio.plan.plan(request)) as PlanAnswer & { fits: true };
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
    expect(faults).toEqual([]);
  }, 120_000);
});
