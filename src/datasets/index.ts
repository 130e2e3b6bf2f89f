/** @file Training data: files of every usual format to examples, splits, and token ids with marks on what is learned. */

export type { ColumnMapping } from "./columns.js";
export { type DetectedFormat, detectFormat } from "./detect.js";
export type {
  ChatBody,
  ChatStyle,
  CompletionBody,
  Example,
  ExampleBody,
  Place,
  TextBody,
  ToolSchema,
} from "./example.js";
export type { DataFormat, RawRow, RefusedFormat } from "./format.js";
export { type DataFormatName, dataFormats, refusedFormats } from "./formats/index.js";
export { type JsonSchemaObject, jsonSchemaOf, OutputSchema, type ReadOutput } from "./output-schema.js";
export { type OverLong, overLongPolicies } from "./over-long.js";
export { type PairColumns, type ReadPairs, readPairs, type TextPair } from "./pairs/read-pairs.js";
export { pairBatches, splitPairs } from "./pairs/split-pairs.js";
export {
  type FileReport,
  type ReadExamples,
  type ReadOptions,
  type ReadReport,
  readExamples,
} from "./read-examples.js";
export { type DocumentMarks, plainTemplate } from "./render/plain-template.js";
export { ExampleRenderer, type LossOn, type RenderedExample, type RenderOptions } from "./render/renderer.js";
export { encodeTargets, type TargetTokens } from "./render/token-targets.js";
export { type SchemaFormatOptions, schemaFormat } from "./schema-format.js";
export {
  hashExamples,
  type SplitExamples,
  type SplitOptions,
  splitExamples,
  withoutHeldOut,
} from "./split-examples.js";
export {
  type ExampleDocument,
  type TokenizedExamples,
  type TokenizeOptions,
  type TokenReport,
  tokenizeExamples,
} from "./tokenize-examples.js";
