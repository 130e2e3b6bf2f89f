/**
 * @file Pictures of the Studio's views for the documentation, on real documents and a model tuned on them:
 * `npx tsx tools/studio-screenshots.ts <folder of documents> [seconds of training] [checkpoint]`.
 */

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openStudio } from "../src/pipeline/studio/studio.js";
import { listen } from "../src/server/adapters/node.js";
import { createStudioApp } from "../src/server/studio/app.js";
import { buildStudio } from "../test/support/built-studio.js";
import { openChromium } from "../test/support/chromium.js";

const [folder = "docs", seconds = "30", base] = process.argv.slice(2);
const out = fileURLToPath(new URL("../docs/images/studio", import.meta.url));

/** Views by the name of their picture; what is asked is about this project's documentation. */
const shots: Readonly<Record<string, string>> = {
  home: "#/",
  documents: "#/documents?path=adding/op.md",
  plan: "#/plan",
  runs: "#/runs",
  ask: "#/ask?question=How do I add an op?",
  models: "#/models",
};

const workspace = await mkdtemp(join(tmpdir(), "tessera-shots-"));
const studio = await openStudio({ folder, workspace, seconds: Number(seconds), ...(base !== undefined && { base }) });
const server = await listen(createStudioApp(studio, { assets: await buildStudio() }), { port: 0 });
const browser = await openChromium();
try {
  await mkdir(out, { recursive: true });
  studio.job.start();
  await studio.job.ended;
  for (const [name, hash] of Object.entries(shots)) {
    await take(name, hash, { width: 1280, height: 860 }, "light");
  }
  await take("documents-dark", shots.documents!, { width: 1280, height: 860 }, "dark");
  await take("ask-phone", shots.ask!, { width: 360, height: 740 }, "light");
} finally {
  await browser.close();
  await server.close();
  await studio[Symbol.asyncDispose]();
  await rm(workspace, { recursive: true });
}

async function take(
  name: string,
  hash: string,
  viewport: { readonly width: number; readonly height: number },
  colorScheme: "light" | "dark",
): Promise<void> {
  const page = await browser.newPage({ viewport, colorScheme });
  await page.goto(server.url + hash);
  await page.locator("main h1").waitFor();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(out, `${name}.png`) });
  await page.close();
  console.log(join(out, `${name}.png`));
}
