/** @file Files to texts: public names. */
export type { Document, Reader, ReadResult, Refusal, ScanEntry, ScanSummary, Skip, SkipReason } from "./document.js";
export { pageAt } from "./document.js";
export { readers } from "./readers/index.js";
export { type ScanOptions, scanFolder } from "./scan-folder.js";
export { type FolderChange, type WatchOptions, watchFolder } from "./watch-folder.js";
