/** @file Conversations that were written as trees of messages, one per row, to chats. */

import type { ChatBody, Place } from "./example.js";
import type { FaultList } from "./faults.js";

export interface TreeMessage {
  readonly kind: "tree-message";
  readonly id: string;
  /** What it is a reply to; undefined for the first message of a tree. */
  readonly parentId: string | undefined;
  readonly treeId: string;
  readonly role: "user" | "assistant";
  readonly text: string;
  /** Among the replies to its parent, the best first; infinite where nobody ranked it. */
  readonly rank: number;
  readonly isDeleted: boolean;
}

export interface PlacedMessage {
  readonly message: TreeMessage;
  readonly place: Place;
}

/**
 * The best path of each tree: at every level the reply of the lowest rank, of equal ones the first, up to the last message of
 * the assistant. Replies that were deleted are left out with what follows them. A chat stands where its tree begins.
 */
export function bestPaths(
  messages: readonly PlacedMessage[],
  faults: FaultList,
): { readonly body: ChatBody; readonly place: Place }[] {
  const before = faults.total;
  const byId = new Map<string, PlacedMessage>();
  const roots = new Map<string, PlacedMessage>();
  for (const placed of messages) {
    const { message, place } = placed;
    if (byId.has(message.id))
      faults.add({ place, path: "message_id", message: `${message.id} stood in an earlier row` });
    else byId.set(message.id, placed);
    if (message.parentId !== undefined) continue;
    if (roots.has(message.treeId))
      faults.add({ place, path: "parent_id", message: `tree ${message.treeId} has begun in an earlier row` });
    roots.set(message.treeId, placed);
  }
  checkReplies(messages, byId, roots, faults);
  // two messages of one id could lead round in circles
  if (faults.total > before) return [];
  const kept = [...roots.values()].filter(({ message }) => !message.isDeleted);
  const replies = repliesOf(messages);
  return kept.map((root) => ({ body: pathOf(root, replies), place: root.place }));
}

function repliesOf(messages: readonly PlacedMessage[]): Map<string, PlacedMessage[]> {
  const replies = new Map<string, PlacedMessage[]>();
  for (const placed of messages) {
    const { parentId, isDeleted } = placed.message;
    if (parentId === undefined || isDeleted) continue;
    const known = replies.get(parentId);
    if (known) known.push(placed);
    else replies.set(parentId, [placed]);
  }
  return replies;
}

function checkReplies(
  messages: readonly PlacedMessage[],
  byId: ReadonlyMap<string, PlacedMessage>,
  roots: ReadonlyMap<string, PlacedMessage>,
  faults: FaultList,
): void {
  for (const { message, place } of messages) {
    if (message.parentId === undefined) continue;
    const parent = byId.get(message.parentId)?.message;
    if (!parent) faults.add({ place, path: "parent_id", message: `no row has the message_id ${message.parentId}` });
    else if (parent.role === message.role)
      faults.add({ place, path: "role", message: `the message before it is of the ${message.role} too` });
    else if (!roots.has(message.treeId))
      faults.add({ place, path: "message_tree_id", message: `no row begins the tree ${message.treeId}` });
  }
}

function pathOf(root: PlacedMessage, replies: ReadonlyMap<string, readonly PlacedMessage[]>): ChatBody {
  const path = [root.message];
  for (let next = replies.get(root.message.id); next; next = replies.get(path.at(-1)!.id)) {
    path.push(next.reduce((best, reply) => (reply.message.rank < best.message.rank ? reply : best)).message);
  }
  const end = path.findLastIndex(({ role }) => role === "assistant") + 1;
  return {
    kind: "chat",
    messages: path.slice(0, end).map(({ role, text }) => ({ role, content: text })),
    style: "conversation",
  };
}
