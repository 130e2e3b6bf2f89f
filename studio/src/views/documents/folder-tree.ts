/** @file Paths of documents as a tree of folders. */

import type { DocumentEntry } from "../../../../src/server/studio/wire/index.js";

export interface TreeFolder {
  readonly name: string;
  readonly path: string;
  readonly folders: readonly TreeFolder[];
  readonly documents: readonly DocumentEntry[];
  /** With those of folders in it. */
  readonly numChunks: number;
}

/** @param prefix path of the folder with its slash; "" for the one that was indexed. */
export function treeOf(documents: readonly DocumentEntry[], prefix = "", name = ""): TreeFolder {
  const own: DocumentEntry[] = [];
  const inside = new Map<string, DocumentEntry[]>();
  for (const document of documents) {
    const rest = document.path.slice(prefix.length);
    const slash = rest.indexOf("/");
    if (slash < 0) {
      own.push(document);
      continue;
    }
    const folder = rest.slice(0, slash);
    const list = inside.get(folder) ?? [];
    list.push(document);
    inside.set(folder, list);
  }
  return {
    name,
    path: prefix,
    folders: [...inside].map(([folder, list]) => treeOf(list, `${prefix}${folder}/`, folder)),
    documents: own,
    numChunks: documents.reduce((sum, { numChunks }) => sum + numChunks, 0),
  };
}
