/** @file Asking in a browser: quotes that lead to their place, models side by side, chances of tokens, judgements. */

import { cp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KnowledgeBase } from "../../../src/pipeline/knowledge-base/knowledge-base.js";
import { seriousFaults } from "../../support/axe.js";
import { noChromium } from "../../support/chromium.js";
import { savedModel } from "../../support/saved-model.js";
import { randomModel, scriptedModel } from "../../support/served-model.js";
import { showStudio } from "../../support/shown-studio.js";

/** What a model writes that was asked with passages: words that stand there, and words that do not. */
const script = ["\n", "One file", ' and a line [1: "one file"].', ' It is purple [1: "purple file"].'];

const endless = ["\n", " again", " and", " again"];

describe.skipIf(noChromium)(`asking in a browser ${noChromium ?? ""}`, () => {
  const models: string[] = [];
  const shown = showStudio(async (root) => {
    const [folder, workspace] = [join(root, "docs"), join(root, "workspace")];
    await cp(fileURLToPath(new URL("../../../docs/adding", import.meta.url)), folder, { recursive: true });
    await using knowledge = await KnowledgeBase.open(folder, { workspace });
    await knowledge.sync();
    for (const model of [randomModel(), scriptedModel([script], 2048), scriptedModel([endless], 4096)])
      models.push(await savedModel(model));
    return { folder, workspace, base: models[0]!, weights: "float32" };
  });
  beforeAll(() => {
    shown.studio.writers.add({ id: "tuned", label: "a scripted one", kind: "tuned", model: models[1]! });
    shown.studio.writers.add({ id: "endless", label: "an endless one", kind: "tuned", model: models[2]! });
  });
  afterAll(async () => {
    for (const folder of models) await rm(folder, { recursive: true });
  });

  it("answers with quotes that lead to their place, and says why each passage was considered", async () => {
    const page = await shown.open("#/ask?question=What%20may%20no%20decision%20of%20a%20chunker%20depend%20on%3F");
    const link = page.locator(".quote a").first();
    const quoted = await page.locator(".quote blockquote").first().innerText();
    const place = new URLSearchParams((await link.getAttribute("href"))!.split("?")[1]);
    const text = await readFile(join(shown.root, "docs", place.get("path")!), "utf8");
    expect(text.slice(Number(place.get("start")), Number(place.get("end")))).toBe(quoted);
    expect(await page.locator(".quote mark").allInnerTexts()).toContain("decision");
    const first = page.locator(".considered tbody tr").first();
    expect(await first.locator(".why").allInnerTexts()).toEqual([
      expect.stringMatching(/^1st [\d.]+$/),
      expect.stringMatching(/^\d+(st|nd|rd|th) [\d.]+$|^not among/),
      expect.stringMatching(/^1st [\d.]+$/),
    ]);
    await page.getByLabel("Question").fill("Who painted the chapel?");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing in the documents supports an answer").waitFor();
    expect(page.url()).toContain("question=Who+painted+the+chapel");
    await page.goBack();
    await page.getByText("The documents say").waitFor();
    await link.click();
    await page.locator(".document mark").first().waitFor();
    expect((await page.locator(".document mark").allTextContents()).join("")).toBe(quoted);
  });

  it("shows how likely each token was, keeps what is preferred, and tells every tab", async () => {
    const [page, other] = [await shown.open("#/ask?do=write"), await shown.open("#/ask?do=write")];
    await page.getByLabel("Prompt").fill("Hello, how are you?");
    await page.getByText("Sampling").click();
    await page.getByLabel("Most tokens").fill("24");
    await page.getByLabel("Temperature").fill("0");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await other.getByText("Opening a scripted one").waitFor();
    const left = page.getByRole("article").first();
    await left.getByText(/24 tokens after \d+, ended at the limit/).waitFor({ timeout: 30_000 });
    await left.getByRole("slider").focus();
    await page.keyboard.press("ArrowRight");
    await left.getByText("2 of").waitFor();
    const chances = await left.locator(".chances li .number").allInnerTexts();
    expect(chances.length).toBeGreaterThanOrEqual(5);
    for (const chance of chances) expect(chance).toMatch(/^(< 0\.1|\d+\.\d|100) %$/);
    const likely = await left.locator(".chances .drawn").allInnerTexts();
    await left.locator(".token").nth(4).hover();
    await left.getByText("5 of").waitFor();
    expect(await left.locator(".chances .drawn").allInnerTexts()).not.toEqual(likely);
    await page.getByRole("button", { name: "Left is better" }).click();
    await page.getByText("1 pair kept").waitFor();
    expect(shown.studio.live.current.preferences).toEqual({ numPairs: 1, numUndecided: 0 });
    expect(await seriousFaults(page)).toEqual([]);
    const written = await left.locator(".tokens").innerText();
    await page.reload();
    await page.getByText("1 pair kept").waitFor();
    expect(await left.locator(".tokens").innerText()).toBe(written);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download as JSONL" }).click(),
    ]);
    const pair = JSON.parse(await readFile(await download.path(), "utf8")) as Record<string, string>;
    expect(Object.keys(pair)).toEqual(["prompt", "chosen", "rejected"]);
    expect(pair.prompt).toBe("Hello, how are you?");
    await page.getByLabel("Next message").fill("What is the weather in Paris?");
    await page.keyboard.press("Enter");
    await left.locator(".earlier .user").nth(1).waitFor();
  });

  it("lets people label with the keyboard, without the models' names", async () => {
    const page = await shown.open("#/ask?do=write");
    await page.getByLabel("Prompt").fill("You are");
    await page.getByLabel("Judge blindly").check();
    await page.getByText("Sampling").click();
    await page.getByLabel("Most tokens").fill("12");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    const before = shown.studio.live.current.preferences;
    for (const [key, seed] of [
      ["1", "seed 1"],
      ["0", "seed 2"],
    ] as const) {
      await page.locator("button:enabled", { hasText: "Left is better" }).waitFor({ timeout: 30_000 });
      expect(await page.locator(".written h2").allInnerTexts()).toEqual(["Text 1", "Text 2"]);
      await page.locator("body").press(key);
      await page.getByText(seed).waitFor();
    }
    const { numPairs, numUndecided } = shown.studio.live.current.preferences;
    expect([numPairs, numUndecided]).toEqual([before.numPairs + 1, before.numUndecided + 1]);
  });

  it("checks what a model says of the documents", async () => {
    const page = await shown.open("#/ask?question=one%20file%20and%20one%20registry%20line");
    await page.getByRole("link", { name: "Let a model answer from these passages" }).click();
    await page.getByLabel("Left").selectOption("a scripted one");
    await page.getByLabel("Right").selectOption("no second model");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    const checked = page.locator(".checked li");
    await checked.getByText("It is purple").waitFor({ timeout: 30_000 });
    await checked.nth(1).getByText("No support for this in the documents.").waitFor();
  });

  it("stops, and says in words what cannot be", async () => {
    const page = await shown.open("#/ask?do=write");
    await page.getByLabel("Prompt").fill("Hello ".repeat(600));
    await page.getByLabel("Right").selectOption("no second model");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await page.getByRole("alert").getByText("the context holds 512; shorten the text").waitFor();
    await page.getByLabel("Prompt").fill("Hello");
    await page.getByLabel("Left").selectOption("an endless one");
    await page.getByText("Sampling").click();
    await page.getByLabel("Temperature").fill("0");
    await page.getByLabel("Most tokens").fill("4000");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await page.locator(".token").nth(9).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/\d+ tokens? after \d+, stopped/).waitFor();
  });
});
