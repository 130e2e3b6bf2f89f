/** @file `tessera eval retrieval`: how well a labelled set's questions find their answers in a folder. */

import { Command } from "commander";
import { counterAt } from "../../pipeline/knowledge-base/settings.js";
import { evaluateChunking, readQuestions } from "../../pipeline/retrieval-eval/index.js";
import { addCuttingOptions, type CuttingFlags, chunkingOf, embedderOf } from "../cutting-options.js";
import { allDocuments } from "../documents-of.js";
import { plural } from "../format.js";
import { parseInteger } from "../options.js";
import { trialTable } from "../retrieval-text.js";

interface Flags extends CuttingFlags {
  readonly questions: string;
  readonly k: number;
  readonly json?: boolean;
}

const retrieval = addCuttingOptions(
  new Command("retrieval")
    .description("recall, precision and IoU of text by tokens, and recall@k, nDCG and MRR of chunks")
    .argument("<path>", "a folder, or a file"),
)
  .requiredOption(
    "--questions <file>",
    'JSON lines of {"question", "spans": [{"path", "start", "end"} or {"quote", "path"}]}',
  )
  .option("-k <count>", "chunks that are retrieved", parseInteger(1, 100), 5)
  .option("--json", "print the scores as JSON")
  .action(run);

export const evalCommand = new Command("eval").description("measure on labelled sets").addCommand(retrieval);

async function run(path: string, flags: Flags): Promise<void> {
  const documents = await allDocuments(path);
  const questions = await readQuestions(flags.questions, documents);
  const counter = counterAt(flags.tokenizer);
  const embedder = await embedderOf(flags);
  const texts = new Map(documents.map(({ path: name, text }) => [name, text]));
  const result = await evaluateChunking(documents, questions, chunkingOf(flags), {
    counter,
    k: flags.k,
    measure: ({ document, start, end }) => counter.count(texts.get(document)!, start, end),
    ...(embedder && { embedder }),
  });
  await embedder?.close?.();
  if (flags.json) return console.log(JSON.stringify({ k: flags.k, numQuestions: questions.length, ...result }));
  console.log(
    `${plural(questions.length, "question")}, the best ${flags.k} chunks by ${embedder?.model ?? "BM25"}, in percent\n`,
  );
  console.log(trialTable([result]));
}
