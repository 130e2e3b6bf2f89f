/** @file Every view of the Studio: axe finds nothing serious, nothing is wider than a phone, the keyboard reaches it. */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrowserContextOptions, Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { seriousFaults } from "../../support/axe.js";
import { noChromium } from "../../support/chromium.js";
import { showStudio } from "../../support/shown-studio.js";

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
  const shown = showStudio(async (root) => {
    const folder = join(root, "docs");
    await cp(fileURLToPath(new URL("../../../docs/adding", import.meta.url)), folder, { recursive: true });
    return { folder, workspace: join(root, "workspace"), seconds: 2 };
  }, KEY);
  beforeAll(async () => {
    shown.studio.job.start();
    await shown.studio.job.ended;
  }, 60_000);

  /** A page that has typed in the key. */
  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await shown.open("", options);
    await page.getByLabel(/The key that this server was started with/).fill(KEY);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("navigation", { name: "Views" }).waitFor();
    shown.takeRefusals(401);
    return page;
  }

  async function show(page: Page, hash: string): Promise<void> {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
    await page.locator("main h1").waitFor();
    await page.waitForLoadState("networkidle", { timeout: 2000 }).catch(() => undefined);
  }

  it("asks for the key, says when it is another one, and passes axe itself", async () => {
    const page = await shown.open();
    const field = page.getByLabel(/The key that this server was started with/);
    await field.fill("another key");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("not the key").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    shown.takeRefusals(401);
  });

  it.each(["light", "dark"] as const)("has no serious fault for axe in %s", async (colorScheme) => {
    const page = await open({ colorScheme });
    await page.getByText(/Perplexity on held-out text/).waitFor();
    for (const view of views) {
      await show(page, view);
      expect([view, await seriousFaults(page)]).toEqual([view, []]);
    }
  });

  it("is no wider than a phone", async () => {
    const page = await open({ viewport: { width: 360, height: 740 } });
    for (const view of views) {
      await show(page, view);
      const width = Number(await page.evaluate("document.documentElement.scrollWidth"));
      expect([view, width <= 360]).toEqual([view, true]);
    }
  });

  it("is reached with the keyboard alone", async () => {
    const page = await open();
    await page.locator("body").press("Tab");
    for (let presses = 0; presses < 20; presses++) {
      const focused = await page.evaluate("document.activeElement.textContent");
      if (focused === "Documents") break;
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await page.locator('nav a[aria-current="page"]', { hasText: "Documents" }).waitFor();
  });
});
