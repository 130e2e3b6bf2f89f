/** @file Texts that are longer than a model's context, or than one sitting: written, read and fitted piece by piece. */

export type { Block, BlockEnd, BlockHook, BlockRecord, Verdict } from "./blocks/block.js";
export { type BlockModel, type BlockOptions, writeBlocks } from "./blocks/write-blocks.js";
export * from "./context/index.js";
export { type ConversationBudget, type FittedConversation, fitConversation, type Turn } from "./conversation.js";
export * from "./reading/index.js";
