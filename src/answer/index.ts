/** @file Answers that point at their sources: public names. */
export {
  type Answer,
  answerPrompt,
  NOT_SAID,
  quoteAnswer,
  type Statement,
  type Write,
  writtenAnswer,
} from "./answer.js";
export { type Citation, type CitedStatement, citations } from "./citations.js";
export { type EvidenceOptions, evidence, type Found } from "./evidence.js";
export { checkedQuotes, type Quote, type SourceOf } from "./quote.js";
