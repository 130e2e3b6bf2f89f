/** @file Which sentences of a document stand for themselves. */
import { expect, it } from "vitest";
import { proseSentences } from "./prose.js";

const found = (text: string): string[] => proseSentences(text).map(({ start, end }) => text.slice(start, end));

it("leaves out code, headings, tables, links and fragments", () => {
  const text = `# The pump and how it is used in the mill.

The pump moves 40 litres of water a minute. It is
driven by the wheel, which is older than the mill.

\`\`\`sh
start --pump   # This comment is as long as a sentence could be.
\`\`\`

| part | size of it in millimetres. |
| --- | --- |
| the inlet of the pump | it is 40 mm wide. |

- [The whole documentation of the pump](./pump.md).
- The lamp is red when the pump runs dry.
- Stop it:
  then drain all of the water from the pipe.

> The valve has to be closed before the winter comes.

<p>A paragraph of markup that is no prose of the text.</p>
Short.
See \`pump.start()\`, \`pump.stop()\` and \`pump.close()\`.
`;
  expect(found(text)).toEqual([
    "The pump moves 40 litres of water a minute.",
    "It is\ndriven by the wheel, which is older than the mill.",
    "The lamp is red when the pump runs dry.",
    "Stop it:\n  then drain all of the water from the pipe.",
    "The valve has to be closed before the winter comes.",
  ]);
});

it("knows Chinese sentences by fewer characters, and leaves open fences closed to the end", () => {
  expect(found("# 水泵\n\n水泵每分钟输送四十升水。很好。\n\n- 冬天之前必须关闭阀门！\n")).toEqual([
    "水泵每分钟输送四十升水。",
    "冬天之前必须关闭阀门！",
  ]);
  expect(
    found("~~~\nThis is code as long as it is not closed.\n```\nAnd this still is, whatever it looks like."),
  ).toEqual([]);
  expect(found("")).toEqual([]);
});
