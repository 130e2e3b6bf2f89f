import { describe, expect, it } from "vitest";
import { readPageScript } from "../adapters/node.js";
import { pageCss } from "./css.js";
import { pageHtml } from "./html.js";

const script = await readPageScript();

describe("the page", () => {
  it("has no inline code or style, and nothing from elsewhere", () => {
    expect(pageHtml).not.toMatch(/<style|<script(?! type="module" src="\/page\.js"><\/script>)|\son\w+=|\sstyle=/);
    const withoutIcon = pageHtml.replace("http://www.w3.org/2000/svg", "");
    for (const text of [withoutIcon, pageCss, script]) expect(text).not.toMatch(/https?:|\burl\(|@import\s+["(u]/);
  });

  it("never reads text as HTML or code", () => {
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|DOMParser/);
  });

  it("has every element that the script asks for, and a label for every control", () => {
    const ids = [...pageHtml.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const wanted = [...script.matchAll(/element\("([^"]+)"/g)].map(([, id]) => id);
    expect(wanted.length).toBeGreaterThan(20);
    expect(ids).toEqual(expect.arrayContaining(wanted));
    expect(new Set(ids).size).toBe(ids.length);
    const references = pageHtml.matchAll(/(?:aria-labelledby|for|href)="#?([\w-]+)"/g);
    for (const [, id] of references) expect(ids).toContain(id);
  });
});
