import { describe, expect, it } from "vitest";
import { pickTopics } from "./topics.js";

const chunks = (places: Record<string, readonly (readonly string[])[]>) =>
  Object.entries(places).flatMap(([path, headingPaths]) => headingPaths.map((headingPath) => ({ path, headingPath })));

describe("pickTopics", () => {
  it("takes one heading of each document, rather a section's than a title", () => {
    const places = {
      "a.md": [["The manual"], ["The manual", "Adding a hook"], ["The manual", "Removing a hook"]],
      "b.md": [["Only title here"]],
      "c.md": [[], ["Routes", "Adding a route"]],
    };
    expect(pickTopics(chunks(places), 2)).toEqual(["Adding a hook", "Adding a route"]);
    expect(pickTopics(chunks(places), 3)).toEqual(["Adding a hook", "Adding a route", "Only title here"]);
  });

  it("leaves out what is in several documents, too short or long, or not words", () => {
    const odd = ["Setup", "<h1 align=x>", "a `code` span", "one two three four five six seven eight"];
    const places = {
      "a.md": [["See also", "Next steps"], ["Next steps"]],
      "b.md": [["Next steps"], odd, odd.slice(0, 3)],
    };
    expect(pickTopics(chunks(places))).toEqual([]);
  });

  it("leaves out what says nothing by itself, and what no one would ask for", () => {
    const odd = [
      "Guides Table Of Contents",
      "Breaking changes",
      "The data",
      "What is it for?",
      "001: Readers",
      "目录",
      "前言",
    ];
    const places = Object.fromEntries(odd.map((heading, i) => [`${i}.md`, [["A manual", heading]]]));
    expect(pickTopics(chunks({ ...places, "z.md": [["手册", "如何添加路由"]] }))).toEqual(["如何添加路由"]);
  });

  it("spreads them over the documents", () => {
    const many = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`${i}.md`, [[`Part number ${i}`]]]));
    expect(pickTopics(chunks(many), 3)).toEqual(["Part number 0", "Part number 3", "Part number 6"]);
  });
});
