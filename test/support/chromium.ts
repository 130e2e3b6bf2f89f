/** @file The system's Chromium, for tests that look at pages. */

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const path = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((candidate) => candidate !== undefined && existsSync(candidate));

/** Why tests that need a browser are skipped here; undefined where there is one. */
export const noChromium = path === undefined ? "no Chromium here; set CHROMIUM_PATH" : undefined;

/** Headless. Containers often allow no sandbox of namespaces, and only our own pages are opened. */
export const openChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: path!, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
