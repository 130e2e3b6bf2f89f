import { expect, it } from "vitest";
import { sections } from "./sections.js";

it("are headings with what stands under them, and hold the whole text", () => {
  const text = "Before.\n\n# One\nA.\n\n## One.a #\n\n```sh\n# none\n```\n\nTwo\n===\n\nB.\n\n## 二\n丙。\n### Empty\n";
  const found = [...sections(text)];
  expect(
    found.map(({ headingPath, bodyStart, end }) => [headingPath.join("/"), text.slice(bodyStart, end).trim()]),
  ).toEqual([
    ["", "Before."],
    ["One", "A."],
    ["One/One.a", "```sh\n# none\n```"],
    ["Two", "B."],
    ["Two/二", "丙。"],
    ["Two/二/Empty", ""],
  ]);
  expect(found.map(({ level }) => level)).toEqual([0, 1, 2, 1, 2, 3]);
  expect(found.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
  expect([...sections("")]).toEqual([]);
});
