/** @file A Studio shown in a browser: opened for the tests of a block, which fail where a page does what it must not. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { openStudio, type Studio, type StudioOptions } from "../../src/pipeline/studio/studio.js";
import { listen, type RunningServer, readStudioAssets } from "../../src/server/adapters/node.js";
import { createStudioApp } from "../../src/server/studio/app.js";
import { openChromium } from "./chromium.js";

/** What a block's tests look at. */
export interface ShownStudio {
  /** A folder for the block's files, removed at its end. */
  readonly root: string;
  readonly studio: Studio;
  readonly url: string;
  /** A page at a place, such as `#/runs`, in a session of its own. It is closed when the test has ended. */
  open(place?: string, options?: BrowserContextOptions): Promise<Page>;
  /** Forgets answers of a status, where a test asks for what is refused. @returns how many there were. */
  takeRefusals(status: number): number;
}

/**
 * Opens server and browser before the tests of the block that calls it, and closes them after these. After each test there
 * must be no error that a page threw or wrote to its console, and no request that left the machine or held the key.
 * @param prepare writes the block's files below a new folder, and says how the Studio is opened.
 * @param key that pages must know, where one is wanted.
 */
export function showStudio(prepare: (root: string) => Promise<StudioOptions>, key?: string): ShownStudio {
  let root: string;
  let studio: Studio;
  let server: RunningServer;
  let browser: Browser;
  const pages: Page[] = [];
  let faults: string[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tessera-shown-"));
    studio = await openStudio(await prepare(root));
    const assets = await readStudioAssets();
    server = await listen(createStudioApp(studio, { assets, ...(key !== undefined && { key }) }), { port: 0 });
    browser = await openChromium();
  }, 60_000);
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.close();
    expect(faults.splice(0)).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await studio?.[Symbol.asyncDispose]();
    await rm(root, { recursive: true });
  });

  return {
    get root() {
      return root;
    },
    get studio() {
      return studio;
    },
    get url() {
      return server.url;
    },
    async open(place = "", options = {}) {
      const page = await browser.newPage(options);
      pages.push(page);
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") faults.push(message.text());
      });
      page.on("request", (request) => {
        const address = request.url();
        if (new URL(address).origin !== new URL(server.url).origin) faults.push(`left the machine: ${address}`);
        if (key !== undefined && address.includes(key)) faults.push(`the key is in the address ${address}`);
      });
      await page.goto(server.url + place);
      return page;
    },
    takeRefusals(status) {
      const others = faults.filter((fault) => !fault.includes(`responded with a status of ${status}`));
      const numTaken = faults.length - others.length;
      faults = others;
      return numTaken;
    },
  };
}
