/** @file Every view of the Studio: axe finds nothing serious, nothing is wider than a phone, the keyboard reaches it. */

import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStudio, type Studio } from "../../../src/pipeline/studio/studio.js";
import { listen, type RunningServer } from "../../../src/server/adapters/node.js";
import { createStudioApp } from "../../../src/server/studio/app.js";
import { seriousFaults } from "../../support/axe.js";
import { buildStudio } from "../../support/built-studio.js";
import { noChromium, openChromium } from "../../support/chromium.js";

const KEY = "0123456789abcdef0123";

/** Addresses of views, each in a state in which it shows something. */
const views = [
  "#/",
  "#/documents",
  "#/documents?path=store.md",
  "#/plan",
  "#/runs",
  "#/runs?new=",
  "#/ask?question=How%20do%20I%20add%20a%20store%3F",
  "#/ask?do=write",
  "#/models",
];

describe.skipIf(noChromium)(`every view in a browser ${noChromium ?? ""}`, () => {
  let root: string;
  let studio: Studio;
  let server: RunningServer;
  let browser: Browser;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tessera-views-"));
    await cp(fileURLToPath(new URL("../../../docs/adding", import.meta.url)), join(root, "docs"), { recursive: true });
    studio = await openStudio({ folder: join(root, "docs"), workspace: join(root, "workspace"), seconds: 2 });
    server = await listen(createStudioApp(studio, { assets: await buildStudio(), key: KEY }), { port: 0 });
    studio.job.start();
    browser = await openChromium();
    await studio.job.ended;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await studio?.[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
  });

  /** A page that has typed in the key. */
  async function open(options: Parameters<Browser["newPage"]>[0]): Promise<{ page: Page; faults: string[] }> {
    const page = await browser.newPage(options);
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) faults.push(`left the machine: ${request.url()}`);
      if (request.url().includes(KEY)) faults.push(`the key is in the address ${request.url()}`);
    });
    await page.goto(server.url);
    await page.getByLabel(/The key that this server was started with/).fill(KEY);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    return { page, faults };
  }

  async function show(page: Page, hash: string): Promise<void> {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.locator("main h1").waitFor();
    await page.waitForLoadState("networkidle", { timeout: 2000 }).catch(() => undefined);
  }

  it("asks for the key, says when it is another one, and passes axe itself", async () => {
    const page = await browser.newPage();
    await page.goto(server.url);
    const field = page.getByLabel(/The key that this server was started with/);
    await field.fill("another key");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("not the key").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.close();
  });

  it.each(["light", "dark"] as const)("has no serious fault for axe in %s", async (colorScheme) => {
    const { page, faults } = await open({ colorScheme });
    for (const view of views) {
      await show(page, view);
      expect([view, await seriousFaults(page)]).toEqual([view, []]);
    }
    expect(faults).toEqual([]);
    await page.close();
  });

  it("is no wider than a phone", async () => {
    const { page } = await open({ viewport: { width: 360, height: 740 } });
    for (const view of views) {
      await show(page, view);
      const width = Number(await page.evaluate("document.documentElement.scrollWidth"));
      expect([view, width <= 360]).toEqual([view, true]);
    }
    await page.close();
  });

  it("is reached with the keyboard alone", async () => {
    const { page } = await open({});
    await page.locator("body").press("Tab");
    for (let presses = 0; presses < 20; presses++) {
      const focused = await page.evaluate("document.activeElement.textContent");
      if (focused === "Documents") break;
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await page.locator('nav a[aria-current="page"]', { hasText: "Documents" }).waitFor();
    await page.close();
  });
});
