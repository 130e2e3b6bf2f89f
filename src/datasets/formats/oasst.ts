/**
 * @file OpenAssistant's conversations as a list of messages (Köpf et al. 2023, arXiv:2304.07327): rows of a tree by its
 * `message_tree_id`, each the reply to its `parent_id`. The example of a tree is its best path: at every level the reply that
 * people ranked first.
 */

import { z } from "zod";
import type { DataFormat } from "../format.js";
import type { TreeMessage } from "../message-trees.js";

const schema = z.strictObject({
  message_id: z.string(),
  parent_id: z.string().nullish(),
  message_tree_id: z.string(),
  text: z.string(),
  role: z.enum(["prompter", "assistant"]),
  rank: z.number().nullish(),
  deleted: z.boolean().nullish(),
  user_id: z.unknown().optional(),
  created_date: z.unknown().optional(),
  lang: z.unknown().optional(),
  review_count: z.unknown().optional(),
  review_result: z.unknown().optional(),
  synthetic: z.unknown().optional(),
  model_name: z.unknown().optional(),
  detoxify: z.unknown().optional(),
  tree_state: z.unknown().optional(),
  emojis: z.unknown().optional(),
  labels: z.unknown().optional(),
  events: z.unknown().optional(),
});

export const oasst: DataFormat = {
  name: "oasst",
  fields: Object.keys(schema.shape),
  schema: schema.transform(
    ({ message_id, parent_id, message_tree_id, text, role, rank, deleted }): TreeMessage => ({
      kind: "tree-message",
      id: message_id,
      parentId: parent_id ?? undefined,
      treeId: message_tree_id,
      role: role === "prompter" ? "user" : "assistant",
      text,
      rank: rank ?? Number.POSITIVE_INFINITY,
      isDeleted: deleted === true,
    }),
  ),
  recognise: ({ message_id, message_tree_id }) =>
    message_id !== undefined && message_tree_id !== undefined ? "has message_id and message_tree_id" : undefined,
};
