/** @file Vectors by key in a folder: segments of which the oldest go when there are too many bytes. */

import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../../base/errors.js";
import { makeFolder } from "../../checkpoint/index.js";
import { Segment } from "./segment.js";

/** Share of the bytes that a segment has at most: what goes at once. */
const SEGMENT_SHARE = 1 / 8;
/** Segments, as processes leave them, from which on they are put together. */
const MANY = 24;
/** Records in memory while they are. */
const MOVED = 256;

interface Place {
  readonly segment: Segment;
  readonly at: number;
}

/**
 * Each process appends to a segment of its own and reads those that were there when it began, so that any number of them
 * may use a folder, and a kill costs at most the record that was being written.
 */
export class VectorCache {
  readonly #places = new Map<string, Place>();
  #segments: Segment[] = [];
  #own: Segment | undefined;
  /** Records that were not as they were written. */
  numDamaged = 0;

  private constructor(
    private readonly folder: string,
    private readonly prefix: string,
    private readonly dimension: number,
    private readonly maxBytes: number,
  ) {}

  /**
   * @param prefix of the segments' names: vectors of one model.
   * @param maxBytes on the disk, for this prefix.
   * @throws ConfigError when not even a segment of one record fits; CheckpointError when the folder cannot be made.
   */
  static async open(folder: string, prefix: string, dimension: number, maxBytes: number): Promise<VectorCache> {
    const least = Math.ceil(2 * Segment.recordBytes(dimension) * (1 / SEGMENT_SHARE));
    if (!(maxBytes >= least)) {
      throw new ConfigError(
        `cache of vectors: maxBytes must be at least ${least} for ${dimension} numbers, got ${maxBytes}`,
      );
    }
    await makeFolder(folder);
    const cache = new VectorCache(folder, prefix, dimension, maxBytes);
    const names = (await readdir(folder)).filter((name) => name.startsWith(`${prefix}-`) && name.endsWith(".vectors"));
    for (const name of names.sort()) await cache.#read(join(folder, name));
    if (cache.#segments.length >= MANY) await cache.#putTogether();
    await cache.#makeRoom();
    return cache;
  }

  get size(): number {
    return this.#places.size;
  }

  async get(key: string): Promise<Float32Array | undefined> {
    const place = this.#places.get(key);
    const vector = await place?.segment.vector(key, place.at);
    if (place && !vector) {
      this.numDamaged++;
      this.#places.delete(key);
    }
    return vector;
  }

  /** @throws CheckpointError when the disk does not take it. */
  async add(entries: readonly (readonly [key: string, vector: Float32Array])[]): Promise<void> {
    const perSegment = Math.floor((this.maxBytes * SEGMENT_SHARE) / Segment.recordBytes(this.dimension)) - 1;
    for (let at = 0; at < entries.length; at += perSegment) {
      const part = entries.slice(at, at + perSegment);
      const segment = await this.#roomFor(part.length);
      const places = await segment.append(part);
      for (const [i, [key]] of part.entries()) this.#places.set(key, { segment, at: places[i]! });
    }
  }

  async close(): Promise<void> {
    for (const segment of this.#segments) await segment.close();
    this.#segments = [];
    this.#places.clear();
  }

  /** The segment of this process, or a new one where it would grow too large. */
  async #roomFor(count: number): Promise<Segment> {
    const bytes = count * Segment.recordBytes(this.dimension);
    if (this.#own && this.#own.bytes + bytes <= this.maxBytes * SEGMENT_SHARE) return this.#own;
    this.#own = await Segment.create(join(this.folder, Segment.newName(this.prefix)), this.dimension);
    this.#segments.push(this.#own);
    await this.#makeRoom(this.maxBytes * SEGMENT_SHARE);
    return this.#own;
  }

  async #read(path: string): Promise<void> {
    const found: [string, number][] = [];
    const segment = await Segment.read(path, this.dimension, (key, at) => found.push([key, at]));
    if (!segment) return;
    for (const [key, at] of found) this.#places.set(key, { segment, at });
    this.#segments.push(segment);
  }

  /** Removes the oldest segments until `coming` more bytes fit. */
  async #makeRoom(coming = 0): Promise<void> {
    let bytes = this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
    while (bytes + coming > this.maxBytes && this.#segments.length > 1) {
      const [oldest] = this.#segments;
      if (!oldest || oldest === this.#own) return;
      bytes -= oldest.bytes;
      await this.#remove(oldest);
    }
  }

  async #remove(segment: Segment): Promise<void> {
    this.#segments = this.#segments.filter((other) => other !== segment);
    for (const [key, place] of this.#places) if (place.segment === segment) this.#places.delete(key);
    await segment.close();
    await rm(segment.path, { force: true });
  }

  /** Small segments as few large ones. What another process still writes to its old one is forgotten, which costs time only. */
  async #putTogether(): Promise<void> {
    const old = [...this.#segments];
    const keys = [...this.#places].map(([key]) => key);
    for (let at = 0; at < keys.length; at += MOVED) {
      const moved: (readonly [string, Float32Array])[] = [];
      for (const key of keys.slice(at, at + MOVED)) {
        const vector = await this.get(key);
        if (vector) moved.push([key, vector]);
      }
      await this.add(moved);
    }
    for (const segment of old) if (this.#segments.includes(segment)) await this.#remove(segment);
  }
}
