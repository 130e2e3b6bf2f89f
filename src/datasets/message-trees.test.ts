import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readExamples } from "./read-examples.js";

let path: string;
beforeEach(async () => {
  path = join(await mkdtemp(join(tmpdir(), "tessera-trees-")), "trees.jsonl");
});
afterEach(() => rm(join(path, ".."), { recursive: true }));

const message = (id: string, parent: string | null, role: string, rest: object = {}) => ({
  message_id: id,
  parent_id: parent,
  message_tree_id: "t",
  text: `text of ${id}`,
  role,
  rank: null,
  lang: "en",
  labels: { spam: { value: 0, count: 3 } },
  ...rest,
});
const read = async (rows: readonly object[]) => {
  await writeFile(path, rows.map((row) => JSON.stringify(row)).join("\n"));
  return readExamples(path);
};

describe("OpenAssistant's message trees", () => {
  it("become the path of the best replies, whatever the order of the rows", async () => {
    const rows = [
      message("a", null, "prompter"),
      message("b1", "a", "assistant", { rank: 1 }),
      message("b0", "a", "assistant", { rank: 0 }),
      message("bx", "a", "assistant", { rank: -1, deleted: true }),
      message("c", "b0", "prompter"),
      message("d", "c", "assistant"),
      message("e", "d", "prompter"),
      message("f", "b1", "prompter", { rank: 0 }),
      message("u", null, "prompter", { message_tree_id: "u" }),
    ];
    const body = {
      kind: "chat",
      messages: [
        { role: "user", content: "text of a" },
        { role: "assistant", content: "text of b0" },
        { role: "user", content: "text of c" },
        { role: "assistant", content: "text of d" },
      ],
      style: "conversation",
    };
    const { examples, report } = await read(rows);
    expect(examples.map(({ body, place }) => ({ body, line: place.line }))).toEqual([{ body, line: 1 }]);
    expect(report.files[0]).toMatchObject({ format: "oasst", numRows: 9 });
    // a prompt that nobody has answered
    expect(report.empty.map(({ line }) => line)).toEqual([9]);
    expect((await read(rows.toReversed())).examples[0]!.body).toEqual(body);
  });

  it("name what is wrong with a tree", async () => {
    await expect(
      read([
        message("a", null, "prompter"),
        message("b", "a", "prompter"),
        message("c", "zz", "assistant"),
        message("a", "b", "assistant"),
        message("d", null, "prompter"),
        message("e", "b", "assistant", { message_tree_id: "v" }),
      ]),
    ).rejects.toThrow(
      /5 faults:[\s\S]*:4: message_id: a stood in an earlier row[\s\S]*:5: parent_id: tree t has begun[\s\S]*:2: role: [\s\S]*:3: parent_id: no row has the message_id zz[\s\S]*:6: message_tree_id: no row begins the tree v/,
    );
    await expect(read([{ ...message("a", null, "system") }])).rejects.toThrow(/:1: role: /);
  });
});
