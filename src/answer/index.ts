/** @file Answers that point at their sources: public names. */
export {
  type Answer,
  answerPrompt,
  attributedAnswer,
  NOT_SAID,
  quoteAnswer,
  quotesAnswer,
  type Statement,
  type Write,
  writtenAnswer,
} from "./answer.js";
export { type Citation, type CitedStatement, citations } from "./citations.js";
export { type EvidenceOptions, evidence, type Found } from "./evidence.js";
export { checkedQuotes, type Quote, type SourceOf } from "./quote.js";
export { keySentences, type SummaryDocument, type SummaryTopic } from "./summary.js";
