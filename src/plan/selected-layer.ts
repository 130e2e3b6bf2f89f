/**
 * @file A layer of which a selection of positions is differentiated, the others being constants to it (TokenTune, Simoulin
 * et al. 2025, arXiv:2501.18824, section 3).
 */

import { assert, UnsupportedError } from "../base/errors.js";
import { type CappedAttentionOptions, cappedAttention } from "../graph/functional/capped-attention.js";
import {
  type Aval,
  broadcastTo,
  causalAttention,
  causalAttentionGradient,
  type Dim,
  type Graph,
  gather,
  grad,
  graph,
  kept,
  mul,
  mulDims,
  reshape,
  type SavePolicy,
  scalar,
  stopGradient,
  type Tensor,
  withGradient,
} from "../graph/index.js";
import type { AttentionRequest, LanguageModel } from "../nn/index.js";
import { type FrozenLocals, layerInputs, layerScope, type SequenceShape, wholeContext } from "./layer-graph.js";
import { joinHeads, splitHeads } from "./whole-sequence.js";

/** Hidden states of all positions, [B, T, D]: what the layer reads and what it leaves. */
export const WHOLE_X = "whole.x";
export const WHOLE_Y = "whole.y";
/** Which rows of [B · T, ·] are selected, [B, k] int64, ascending in each sequence. */
export const SELECTED = "selected";

/** Queries, keys and values [B, heads, ·, C]. */
type Heads = readonly [Tensor, Tensor, Tensor];

export interface SelectedShape extends SequenceShape {
  readonly save: SavePolicy;
}

/** What all positions attend with, and what comes of it. */
interface Attended {
  readonly request: AttentionRequest;
  readonly out: Tensor;
}

/**
 * `whole.x` [B, T, D] → `whole.y`, without a gradient, and `x` [B, k, D], the selected rows of `whole.x`, → `y`, those of
 * `whole.y`. Gradients of `y` flow to `x` and the parameters by way of the selected positions alone: their queries see the
 * keys and values of all, but only those of selected positions are no constants.
 * The backward pass needs the keys and values of all positions, or `whole.x` where that is smaller.
 */
export function selectedLayerGraph(
  model: LanguageModel,
  kind: string,
  shape: SelectedShape,
  count: number,
  frozen: FrozenLocals = {},
): Graph {
  const layer = model.kinds[kind]!;
  const { x: whole, ...rest } = layerInputs(model, layer, shape, "train", frozen);
  const rows: Aval = { dtype: "int64", shape: [shape.batchSize, count] };
  const x: Aval = { dtype: "float32", shape: [shape.batchSize, count, model.hiddenSize] };
  const all: Record<string, Aval> = { x, [WHOLE_X]: whole!, [SELECTED]: rows, ...rest };
  return graph(`layer.${kind}.selected`, all, (inputs) => {
    const scope = layerScope(layer, inputs, frozen);
    const places = inputs[SELECTED]!;
    const attended: Attended[] = [];
    const context = wholeContext(inputs, shape, "train");
    const wholeY = layer.build(scope, inputs[WHOLE_X]!, {
      ...context,
      attend: (request) => {
        const at = keepsKeys(request, model) ? { ...request, k: kept(request.k), v: kept(request.v) } : request;
        const out = context.attend(at);
        attended.push({ request: at, out });
        return out;
      },
    });
    // the same masks in the same order, of which the selected rows are taken
    const { tables, dropout } = wholeContext(inputs, shape, "train");
    let numAttended = 0;
    const y = layer.build(scope, inputs.x!, {
      tables,
      positions: gather(flat(inputs.positions!), places),
      attend: (request) => attendSelected(request, attended[numAttended++]!, places, inputs.segments, shape),
      dropout: (h, rate) => {
        if (rate === 0) return h;
        const ones = broadcastTo(scalar(1), [shape.batchSize, shape.time, ...h.shape.slice(2)]);
        return mul(h, rowsAt(dropout(ones, rate), places));
      },
    });
    assert(numAttended === attended.length, "a layer attends as often for some positions as for all");
    return { y, [WHOLE_Y]: wholeY };
  });
}

/** Whether keys and values of all positions are fewer numbers than what they are computed from. */
const keepsKeys = ({ numKvHeads, headDim }: AttentionRequest, { hiddenSize }: LanguageModel): boolean =>
  2 * numKvHeads * headDim < hiddenSize;

/** [B, T, ...] → [B · T, ...]. */
const flat = (x: Tensor): Tensor => reshape(x, [x.shape.slice(0, 2).reduce<Dim>(mulDims, 1), ...x.shape.slice(2)]);

/** The rows of x [B, T, ...] at places [B, k] → [B, k, ...]. */
const rowsAt = (x: Tensor, places: Tensor): Tensor => gather(flat(x), places);

/**
 * What the selected positions have of the attention of all, differentiated by their own queries, keys and values. It is
 * taken from the attention of all where it is kept for the backward pass, and computed there for them alone otherwise.
 */
function attendSelected(
  { q, k, v }: AttentionRequest,
  { request, out }: Attended,
  places: Tensor,
  segments: Tensor | undefined,
  { attentionTile, keyTile, save }: SelectedShape,
): Tensor {
  const { numHeads, numKvHeads, scale, window, softcap, bias, trainingGroup } = request;
  if (bias || trainingGroup !== undefined) {
    throw new UnsupportedError(
      `selected tokens: attention ${bias ? "with a bias on the scores" : "in shifted groups (LongLoRA)"} is differentiated for all positions only; leave out selectedTokens`,
    );
  }
  const tile = Math.min(attentionTile, Number(q.shape[1]));
  const own = {
    scale,
    places,
    tile,
    ...(keyTile !== undefined && { keyTile }),
    ...(window !== undefined && { window }),
    ...(segments && { segments }),
  };
  const parts: Heads = [splitHeads(q, numHeads), splitHeads(request.k, numKvHeads), splitHeads(request.v, numKvHeads)];
  const attend = (): Tensor =>
    softcap === undefined ? causalAttention(...parts, own) : cappedAttention(...parts, { ...own, softcap });
  const value = save === "inputs" ? joinHeads(attend()) : rowsAt(out, places);
  const [result] = withGradient("selected_attention", [q, k, v], [value], (ct, { output }) => {
    const cotangent = splitHeads(ct, numHeads);
    const [dq, dk, dv] =
      softcap === undefined
        ? causalAttentionGradient(parts, own, splitHeads(output, numHeads), cotangent)
        : cappedGradient(parts, { ...own, softcap }, cotangent);
    return [joinHeads(dq), rowsAt(joinHeads(dk), places), rowsAt(joinHeads(dv), places)];
  });
  return result!;
}

function cappedGradient(parts: Heads, options: CappedAttentionOptions, cotangent: Tensor): Heads {
  const [q, k, v] = parts.map(stopGradient) as [Tensor, Tensor, Tensor];
  return grad([{ output: cappedAttention(q, k, v, options), cotangent }], [q, k, v]) as [Tensor, Tensor, Tensor];
}
