/** @file The Studio's page in Chromium: how much is loaded first, when it can be used, how smoothly it draws. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { KnowledgeBase } from "../../src/pipeline/knowledge-base/knowledge-base.js";
import { openStudio } from "../../src/pipeline/studio/studio.js";
import { listen } from "../../src/server/adapters/node.js";
import { createStudioApp } from "../../src/server/studio/app.js";
import { buildStudio } from "../../test/support/built-studio.js";
import { noChromium, openChromium } from "../../test/support/chromium.js";
import { type BenchContext, type Benchmark, type Figure, median, plain } from "../bench.js";
import { cutting, writeDrawn } from "./drawn.js";

/** Loads of the page, each in a context of its own, without a cache. */
const LOADS = 7;

export const studio: Benchmark = {
  name: "studio",
  about: "the page of tessera up and tessera studio in Chromium: size, time until it can be used, frames per second",
  async run(context) {
    if (noChromium) throw new Error(`the studio benchmark: ${noChromium}`);
    const root = await mkdtemp(join(tmpdir(), "tessera-studio-bench-"));
    try {
      return await measured(root, context);
    } finally {
      await rm(root, { recursive: true });
    }
  },
};

async function measured(root: string, { log }: BenchContext): Promise<Figure[]> {
  const [folder, workspace] = [join(root, "docs"), join(root, "workspace")];
  const { document } = await writeDrawn(folder, workspace);
  {
    await using knowledge = await KnowledgeBase.open(folder, { workspace, settings: cutting });
    await knowledge.sync();
  }
  await using opened = await openStudio({ folder, workspace });
  const assets = await buildStudio();
  const server = await listen(createStudioApp(opened, { assets }), { port: 0 });
  const browser = await openChromium();
  try {
    const { milliseconds, scripts } = await firstViews(browser, server.url, log);
    const bytes = scripts.reduce((sum, name) => sum + gzipSync(assets.get(name)!.bytes).length, 0);
    const scrolled = await framesWhile(
      browser,
      `${server.url}#/documents?path=${encodeURIComponent(document)}`,
      scroll,
    );
    const drawn = await framesWhile(browser, `${server.url}#/runs`, sweep);
    return [
      plain("scripts of the first view, gzipped", "kB", bytes / 1000, { atMost: 200 }),
      plain("until the first view can be used, median", "ms", median(milliseconds), { atMost: 1000 }),
      plain("5,000 chunks scrolled", "frames/s", scrolled, { atLeast: 30 }),
      plain("10,000 points under a moving cursor", "frames/s", drawn, { atLeast: 30 }),
    ];
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Milliseconds from the request of the page until its state is shown, and the scripts it took. */
async function firstViews(
  browser: Browser,
  url: string,
  log: (line: string) => void,
): Promise<{ milliseconds: number[]; scripts: string[] }> {
  const milliseconds: number[] = [];
  let scripts: string[] = [];
  for (let load = 0; load < LOADS; load++) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const asked: string[] = [];
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.endsWith(".js")) asked.push(pathname.slice(1));
    });
    await page.goto(url);
    await page.getByRole("heading", { level: 1 }).waitFor();
    milliseconds.push(Number(await page.evaluate("performance.now()")));
    scripts = asked;
    await context.close();
  }
  log(`  first view: ${milliseconds.map((one) => one.toFixed(0)).join(", ")} ms`);
  return { milliseconds, scripts };
}

/** Frames per second while something goes on in a view for two seconds. */
async function framesWhile(browser: Browser, url: string, act: (page: Page) => Promise<void>): Promise<number> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(url);
  await page.waitForLoadState("networkidle");
  await page.evaluate(counting);
  await act(page);
  const rate = Number(await page.evaluate("(1000 * counter.frames) / (performance.now() - counter.start)"));
  await page.close();
  return rate;
}

const counting = `
  window.counter = { frames: 0, start: performance.now() };
  const count = () => { counter.frames++; requestAnimationFrame(count); };
  requestAnimationFrame(count);
`;

const SECONDS = 3;

/** Through the document as fast as a wheel turns. */
async function scroll(page: Page): Promise<void> {
  await page.mouse.move(640, 500);
  const end = performance.now() + 1000 * SECONDS;
  while (performance.now() < end) await page.mouse.wheel(0, 400);
}

/** Over the curves, whose values follow the cursor. */
async function sweep(page: Page): Promise<void> {
  const box = await page.locator("canvas").first().boundingBox();
  if (!box) throw new Error("the view of runs draws no curve");
  const end = performance.now() + 1000 * SECONDS;
  for (let i = 0; performance.now() < end; i++) {
    await page.mouse.move(box.x + ((7 * i) % box.width), box.y + box.height / 2);
  }
}
