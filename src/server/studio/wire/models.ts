/** @file Models from the inside: what they are made of, how their weights lie, what their attention looks at. */

/** `GET /api/model?id=…`, the id of a writer of the state. */
export interface ModelFacts {
  readonly id: string;
  readonly label: string;
  /** Rows of a table of facts: what, value. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly numParameters: number;
  /** As stored. */
  readonly bytes: number;
  /** What parameters are for, in the order of computation. */
  readonly parts: readonly ModelPart[];
  readonly groups: readonly TensorGroup[];
  readonly attention: AttentionOffer;
}

export const partNames = ["embedding", "attention", "mlp", "norm", "head", "adapter", "other"] as const;
export type PartName = (typeof partNames)[number];

export interface ModelPart {
  readonly name: PartName;
  readonly numParameters: number;
  readonly bytes: number;
}

/** Tensors of one layer, or what is around the layers. */
export interface TensorGroup {
  readonly name: string;
  readonly tensors: readonly ModelTensor[];
}

export interface ModelTensor {
  readonly name: string;
  readonly part: PartName;
  readonly shape: readonly number[];
  /** As the container names it: `bfloat16`, `Q4_K`. */
  readonly type: string;
  readonly bytes: number;
}

export interface AttentionOffer {
  readonly isOffered: boolean;
  /** Why not. */
  readonly reason?: string;
  readonly numLayers: number;
}

/** `GET /api/model/weights?id=…&name=…`: a matrix as means over its cells. */
export interface WeightPicture {
  readonly name: string;
  /** Of the tensor; one of more than two dims is drawn with all but the last as rows. */
  readonly shape: readonly number[];
  /** Of the picture, at most 128 each. */
  readonly rows: number;
  readonly columns: number;
  /** Mean size |w| of each cell, row by row. */
  readonly cells: readonly number[];
  readonly mean: number;
  readonly std: number;
  /** Largest |w|. */
  readonly largest: number;
  /** Number of weights in equal steps from -largest to largest. */
  readonly histogram: readonly number[];
}

/** Body of `POST /api/model/attention`. */
export interface AttentionRequest {
  readonly id: string;
  readonly text: string;
  /** Of those that attend, from 0. */
  readonly layer: number;
}

/** How much each token looks at each before it, in one layer. */
export interface AttentionPicture {
  readonly layer: number;
  readonly tokens: readonly string[];
  /** By head: row by row, one for each token that looks; the entries of a row sum to 1. */
  readonly heads: readonly (readonly number[])[];
}
