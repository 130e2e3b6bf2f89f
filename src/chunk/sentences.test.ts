/** @file Sentence ends on a small gold set, and in the cases that rules get wrong. */
import { describe, expect, it } from "vitest";
import { sentences } from "./sentences.js";

/** Paragraphs with their sentence ends marked by `¦`. */
const ENGLISH = `
The engine starts. ¦It stops again! ¦Does it start once more? ¦Yes.
Dr. Smith met Mrs. Jones at St. Mary's on Jan. 5th. ¦They spoke for an hour.
Use a small value, e.g. 0.5 or 1.25. ¦Larger ones, i.e. Those above two, are slow.
The U.S. Government agreed. ¦J. R. Hartley did not.
See Fig. 3 and Sec. 4.2 for details. ¦Compare No. 7 with v. 2.
He asked "Why now?" and left. ¦She said "Never." ¦Nobody moved.
It costs $3.50 (about £2.80). ¦That is cheap.
Call \`fastify.listen()\` first. ¦Then wait for ready. ¦\`close\` ends it.
Visit https://example.com/a.b?c=d for more. ¦It is free.
Wait... what happened? ¦Nothing... ¦Good.
This is **important.** ¦Do not skip it. ¦(It was skipped.) ¦Sigh.
Version 1.2.3 was released in 2019. ¦Version 2 came in 2021.
Node.js, Deno and Bun run it. ¦npm installs it.
the text is lower case throughout. the next sentence too. in december 2014. it goes on.
Kim et al. found otherwise. ¦Others vs. Kim did not.
Stop!! ¦Really?! ¦OK.
`
  .replace("throughout. the", "throughout. ¦the")
  .replace("too. in", "too. ¦in")
  .replace("2014. it", "2014. ¦it");

const CHINESE = `
快速排序是一种排序算法。¦它由霍尔提出！¦你知道吗？¦知道。
他说：“你好！”¦然后走了。¦“真的吗？”¦她问。
版本 3.14 已发布。¦请访问 https://example.com 下载。¦（可选。）¦完成
本页面将简要介绍快速排序．¦其思想是分治．
什么？！¦不可能……但是真的。¦好
`;

/** Ends of sentences as positions among the characters that are not white space. */
function ends(parts: readonly string[]): Set<number> {
  const found = new Set<number>();
  let length = 0;
  for (const part of parts) {
    length += part.replace(/\s/g, "").length;
    found.add(length);
  }
  found.delete(length);
  return found;
}

function f1(paragraphs: string): number {
  let hits = 0;
  let total = 0;
  for (const paragraph of paragraphs.trim().split("\n")) {
    const text = paragraph.replaceAll("¦", "");
    const expected = ends(paragraph.split("¦"));
    const found = ends([...sentences(text)].map(({ start, end }) => text.slice(start, end)));
    hits += [...found].filter((end) => expected.has(end)).length;
    total += expected.size + found.size;
  }
  return (2 * hits) / total;
}

function split(text: string): string[] {
  return [...sentences(text)].map(({ start, end }) => text.slice(start, end));
}

describe("sentences", () => {
  it("finds at least 95% of English ends, and no more than 5% others", () => expect(f1(ENGLISH)).toBeGreaterThan(0.95));

  it("finds at least 95% of Chinese ends, and no more than 5% others", () => expect(f1(CHINESE)).toBeGreaterThan(0.95));

  it.each([
    ["Dr. Who came.", ["Dr. Who came."]],
    ["1. First. 2. Second.", ["1. First.", "2. Second."]],
    ["No. 5 is alive. No. It is dead.", ["No. 5 is alive.", "No.", "It is dead."]],
    ["He left.) Then", ["He left.)", "Then"]],
    ["यह है। वह है।", ["यह है।", "वह है।"]],
    ["من؟ أنا.", ["من؟", "أنا."]],
    ["A heading\n\nA paragraph", ["A heading", "A paragraph"]],
    ["wrapped\nline. Next", ["wrapped\nline.", "Next"]],
    ["done.école", ["done.école"]],
    ["est finie. été", ["est finie.", "été"]],
    ["p. été", ["p. été"]],
    ["  \n ", []],
  ])("cuts %j", (text, expected) => expect(split(text)).toEqual(expected));

  it("needs linear time for text full of marks", () => {
    for (const mark of [".", ". ", '."', "A. ", "。", "a.\n"]) {
      const text = mark.repeat(200_000);
      expect([...sentences(text)].at(-1)?.end).toBe(text.trimEnd().length);
    }
  });
});
