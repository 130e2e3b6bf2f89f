/** @file A cache of slots: memory for a whole sequence each, read and written in place by the attention kernel. */

import { assert, CapacityError } from "../../base/errors.js";
import { type HostTensor, hostTensor } from "../../base/host-tensor.js";
import type { Tensor } from "../../graph/index.js";
import type { AttentionRequest, CacheSpec, LanguageModel } from "../../nn/index.js";
import type { Feeds } from "../../runtime/index.js";
import type { CachedAttention } from "../step-graph.js";
import {
  type CacheOptions,
  type CacheStep,
  type CacheUsage,
  type KvCache,
  MAX_REPEATED,
  type OpenOptions,
} from "./cache.js";
import { slotAttention } from "./slot-attention.js";
import { type Retention, SlotBuffers, slotBytes } from "./slot-buffers.js";
import { emptySlot, type Slot, SlotSequence, sharedPrefix } from "./slot-sequence.js";

/** How a policy over slots differs from another. */
export interface SlotRules {
  retain(spec: CacheSpec): Retention;
  /** Position of the next token. */
  positionOf(slot: Slot): number;
  /** Most tokens of one sequence. */
  readonly maxTokens: number;
  readonly numPositions: number;
  /** Called for each layer while the model's graph is built. */
  onAttend?(request: AttentionRequest, layer: number, inputs: Readonly<Record<string, Tensor>>): void;
  /** Called when rows `start` to `end` of a slot have been moved down by `distance` rows. */
  onShift?(buffers: SlotBuffers, slot: number, rows: { start: number; end: number; distance: number }): void;
}

/** Every row stays. */
export const retainAll = (contextLength: number): Retention => ({
  group: "",
  sinks: 0,
  recent: contextLength,
  capacity: contextLength,
});

interface StepTensors extends CacheStep {
  readonly last: ReadonlyMap<string, HostTensor>;
  readonly total: ReadonlyMap<string, HostTensor>;
}

export class SlotCache implements KvCache {
  readonly attention: CachedAttention;
  readonly maxTokens: number;
  readonly numPositions: number;
  readonly #rules: SlotRules;
  readonly #buffers: SlotBuffers;
  readonly #slots: Slot[];
  readonly #groups: ReadonlyMap<string, Retention>;
  readonly #bytesPerSlot: number;
  readonly #steps = new Map<string, StepTensors>();
  #clock = 0;

  /** @throws CapacityError when not even one sequence fits. */
  constructor(model: LanguageModel, { maxSequences, cacheBytes }: CacheOptions, rules: SlotRules) {
    const retain = (spec: CacheSpec): Retention => rules.retain(spec);
    this.#rules = rules;
    this.maxTokens = rules.maxTokens;
    this.numPositions = rules.numPositions;
    this.#bytesPerSlot = slotBytes(model, retain);
    const fitting = cacheBytes === undefined ? maxSequences : Math.floor(cacheBytes / this.#bytesPerSlot);
    const numSlots = Math.min(maxSequences, fitting);
    if (numSlots < 1) {
      throw new CapacityError(
        `KV cache: one sequence takes ${this.#bytesPerSlot} bytes, but cacheBytes is ${cacheBytes}; give more, or a smaller contextLength`,
      );
    }
    this.#buffers = new SlotBuffers(model, retain, numSlots);
    this.#slots = Array.from({ length: numSlots }, (_, i) => emptySlot(i));
    this.#groups = new Map(this.#buffers.layers.map(({ retention }) => [retention.group, retention]));
    const { inputs, attend } = slotAttention(model, (spec) => retain(spec).group);
    this.attention = {
      inputs,
      attend: (request, layer, tensors) => {
        rules.onAttend?.(request, layer, tensors);
        return attend(request, layer, tensors);
      },
    };
  }

  open(text: readonly number[], { variant }: OpenOptions): SlotSequence | undefined {
    const idle = this.#slots.filter(({ isOpen }) => !isOpen).sort((a, b) => a.usedAt - b.usedAt);
    const oldest = idle[0];
    if (!oldest) return undefined;
    const shared = (slot: Slot): number => sharedPrefix(slot, text, variant);
    const source = this.#slots.reduce((best, slot) => (shared(slot) > shared(best) ? slot : best));
    const count = shared(source);
    // a slot that would lose most of what it holds is copied instead, so that it can serve again
    const isTaken = !source.isOpen && (source === oldest || 2 * count >= source.ids.length);
    const slot = isTaken && count > 0 ? source : oldest;
    if (slot !== source && count > 0)
      this.#buffers.copy(source.index, slot.index, (group) => this.#rowsOf(source, group, count));
    slot.dropped = new Map(count > 0 ? source.dropped : []);
    slot.ids = source.ids.slice(0, count);
    slot.variant = variant;
    slot.isOpen = true;
    slot.usedAt = ++this.#clock;
    return new SlotSequence(
      slot,
      this.maxTokens,
      (of) => this.#rules.positionOf(of),
      (of) => this.#leastTokens(of),
    );
  }

  step(batch: readonly SlotSequence[], count: number): CacheStep {
    for (const { slot } of batch) this.#makeRoom(slot, count);
    const first = batch.length === 1 ? batch[0]!.slot.index : 0;
    if (batch.length > 1) for (const [i, { slot }] of batch.entries()) this.#moveTo(slot, i);
    const tensors = this.#tensors(first, batch.length, count);
    for (const group of this.#groups.keys()) {
      const ends = batch.map(({ slot }) => this.#rowsOf(slot, group, slot.ids.length) + count);
      (tensors.last.get(group)!.data as Int32Array).set(ends.map((end) => end - 1));
      tensors.total.get(group)!.data[0] = Math.max(...ends);
    }
    return tensors;
  }

  commit(batch: readonly SlotSequence[], ids: readonly (readonly number[])[]): void {
    for (const [i, { slot }] of batch.entries()) {
      slot.ids.push(...ids[i]!);
      slot.usedAt = ++this.#clock;
    }
  }

  usage(): CacheUsage {
    const open = this.#slots.filter(({ isOpen }) => isOpen);
    const stored = open.reduce((sum, slot) => sum + this.#storedBytes(slot), 0);
    const usedBytes = open.length * this.#bytesPerSlot;
    return {
      capacityBytes: this.#slots.length * this.#bytesPerSlot,
      usedBytes,
      waste: usedBytes === 0 ? 0 : 1 - stored / usedBytes,
      blocks: this.#slots.length,
      usedBlocks: open.length,
    };
  }

  #storedBytes(slot: Slot): number {
    return this.#buffers.layers.reduce((sum, { retention, numKvHeads, width }) => {
      return sum + 4 * this.#rowsOf(slot, retention.group, slot.ids.length) * numKvHeads * width;
    }, 0);
  }

  /** Rows that the first `count` tokens of a slot have in a group of layers. */
  #rowsOf({ dropped }: Slot, group: string, count: number): number {
    return count - (dropped.get(group) ?? 0);
  }

  /** The shortest text for which a slot has all rows that its next token sees. */
  #leastTokens({ dropped }: Slot): number {
    const leasts = [...this.#groups].map(([group, { sinks, recent }]) => {
      const numDropped = dropped.get(group) ?? 0;
      return numDropped === 0 ? 0 : numDropped + sinks + recent;
    });
    return Math.max(0, ...leasts);
  }

  /** Drops rows that no new token sees, where new ones would not fit. */
  #makeRoom(slot: Slot, count: number): void {
    for (const [group, { sinks, recent, capacity }] of this.#groups) {
      const stored = this.#rowsOf(slot, group, slot.ids.length);
      if (stored + count <= capacity) continue;
      const start = stored - recent;
      const distance = start - sinks;
      assert(distance > 0 && sinks + recent + count <= capacity, "a slot has room for new tokens");
      this.#buffers.shift(slot.index, group, start, stored, sinks);
      slot.dropped.set(group, (slot.dropped.get(group) ?? 0) + distance);
      this.#rules.onShift?.(this.#buffers, slot.index, { start: sinks, end: sinks + recent, distance });
    }
  }

  /** Brings a slot to a place: a batch is a stretch of the buffers that begins with the first. */
  #moveTo(slot: Slot, index: number): void {
    if (slot.index === index) return;
    const other = this.#slots.find((candidate) => candidate.index === index)!;
    const rows = (of: Slot, group: string): number => this.#rowsOf(of, group, of.ids.length);
    if (other.ids.length === 0) this.#buffers.copy(slot.index, index, (group) => rows(slot, group));
    else this.#buffers.swap(slot.index, index, (group) => Math.max(rows(slot, group), rows(other, group)));
    [slot.index, other.index] = [index, slot.index];
  }

  /** Tensors of a step. Those of short ones are kept, since decoding repeats them. */
  #tensors(first: number, batch: number, count: number): StepTensors {
    const key = `${first}+${batch}x${count}`;
    const known = this.#steps.get(key);
    if (known) return known;
    const groups = [...this.#groups.keys()];
    const last = new Map(groups.map((group) => [group, hostTensor("int32", [batch], new Int32Array(batch))]));
    const total = new Map(groups.map((group) => [group, hostTensor("int32", [], new Int32Array(1))]));
    const views = this.#buffers.views(first, batch);
    const feeds: Feeds = {
      ...views,
      ...Object.fromEntries(groups.map((group) => [`last${group}`, last.get(group)!])),
      ...Object.fromEntries(groups.map((group) => [`total${group}`, total.get(group)!])),
    };
    const into = Object.fromEntries(
      Object.entries(views).map(([name, tensor]) => [
        name.replace("keys", "newKeys").replace("values", "newValues"),
        tensor,
      ]),
    );
    const isKept = count <= MAX_REPEATED;
    const tensors = { feeds, into, last, total, ...(isKept && { key }) };
    if (isKept) this.#steps.set(key, tensors);
    return tensors;
  }
}
