/** @file `tessera index <folder>`: documents as an index that answers questions, kept up to date. */

import { Command } from "commander";
import { type IndexReport, KnowledgeBase } from "../../pipeline/knowledge-base/knowledge-base.js";
import { addIndexOptions, type IndexFlags, indexOptionsOf } from "../index-options.js";
import { hotText, indexText, skippedText } from "../knowledge-text.js";
import { parseInteger } from "../options.js";

interface Flags extends IndexFlags {
  readonly rebuild?: boolean;
  readonly watch?: boolean;
  readonly verify?: boolean;
  readonly hot?: number;
  readonly json?: boolean;
}

export const indexCommand = addIndexOptions(
  new Command("index")
    .description("read, cut, embed and index a folder of documents for tessera ask; again, with work for what changed")
    .argument("<folder>", "folder of documents, or one document"),
)
  .option("--rebuild", "make the index anew: after damage, another version or another embedder")
  .option("--watch", "stay, and index what changes as it changes")
  .option("--verify", "read the whole index and compare it with its checksums")
  .option(
    "--hot <count>",
    "name the passages that questions came to most, lately more than long ago",
    parseInteger(1, 1000),
  )
  .option("--json", "print what was done as JSON")
  .action(run);

async function run(folder: string, flags: Flags): Promise<void> {
  await using knowledge = await KnowledgeBase.open(folder, {
    ...indexOptionsOf(flags),
    ...(flags.rebuild && { rebuild: true }),
  });
  if (flags.watch) {
    const stop = new AbortController();
    process.once("SIGINT", () => stop.abort());
    console.error(`watching ${folder}; ctrl-C ends it`);
    for await (const report of knowledge.watch(stop.signal)) await print(report, knowledge, flags);
    return;
  }
  await print(await knowledge.sync(), knowledge, flags);
  if (flags.verify) {
    await knowledge.store.verify();
    console.error("every row of the index is as its checksum says");
  }
}

async function print(report: IndexReport, knowledge: KnowledgeBase, { json, hot: limit }: Flags): Promise<void> {
  const { settings, embedder } = knowledge;
  const hot = limit === undefined ? undefined : await knowledge.hottest(limit);
  if (json) {
    const named = hot?.map(({ chunk: { vector: _, ...chunk }, ...access }) => ({ ...access, chunk }));
    console.log(JSON.stringify({ ...report, settings, embedder: embedder?.model, ...(named && { hot: named }) }));
    return;
  }
  console.log(indexText(report, embedder?.model));
  if (hot) console.log(hotText(hot));
  if (report.skipped.length > 0) console.error(skippedText(report.skipped));
}
