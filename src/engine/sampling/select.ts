/** @file The largest of many numbers without sorting them all. Of equal ones the earlier counts as larger. */

/** Indices of the `count` largest of `keys[0, size)`, largest first. */
export function indicesOfLargest(keys: ArrayLike<number>, size: number, count: number): Int32Array {
  const heap = Int32Array.from({ length: Math.min(count, size) }, (_, i) => i);
  const k = heap.length;
  if (k === 0) return heap;
  for (let root = (k >> 1) - 1; root >= 0; root--) sink(heap, k, root, keys);
  let least = keys[heap[0]!]!;
  for (let i = k; i < size; i++) {
    if (keys[i]! <= least) continue;
    heap[0] = i;
    sink(heap, k, 0, keys);
    least = keys[heap[0]!]!;
  }
  for (let end = k - 1; end > 0; end--) {
    const smallest = heap[0]!;
    heap[0] = heap[end]!;
    heap[end] = smallest;
    sink(heap, end, 0, keys);
  }
  return heap;
}

/** Restores the order of a heap, smallest key at the top, below `root`. */
function sink(heap: Int32Array, size: number, root: number, keys: ArrayLike<number>): void {
  const moved = heap[root]!;
  let hole = root;
  for (let child = 2 * hole + 1; child < size; child = 2 * hole + 1) {
    if (child + 1 < size && isBefore(heap[child]!, heap[child + 1]!, keys)) child++;
    if (!isBefore(moved, heap[child]!, keys)) break;
    heap[hole] = heap[child]!;
    hole = child;
  }
  heap[hole] = moved;
}

/**
 * Reorders indices 0 … size - 1 so that those of the fewest largest keys whose weights reach `goal` come first.
 * Linear time: one side of a pivot is looked at further.
 * @returns their number: `size` where all together do not reach it.
 */
export function selectMass(
  indices: Int32Array,
  size: number,
  keys: ArrayLike<number>,
  weights: ArrayLike<number>,
  goal: number,
): number {
  for (let i = 0; i < size; i++) indices[i] = i;
  let [start, end, missing] = [0, size, goal];
  while (start < end) {
    const place = partition(indices, start, end, keys);
    let mass = 0;
    for (let i = start; i < place; i++) mass += weights[indices[i]!]!;
    if (mass >= missing) {
      end = place;
      continue;
    }
    missing -= mass + weights[indices[place]!]!;
    start = place + 1;
    if (missing <= 0) break;
  }
  return Math.min(Math.max(start, 1), size);
}

/** Puts larger keys before a pivot's place in `indices[start, end)` and smaller ones behind it; gives the place. */
function partition(indices: Int32Array, start: number, end: number, keys: ArrayLike<number>): number {
  swap(indices, medianOfThree(indices, start, end, keys), end - 1);
  const pivot = indices[end - 1]!;
  const pivotKey = keys[pivot]!;
  let place = start;
  for (let i = start; i < end - 1; i++) {
    const key = keys[indices[i]!]!;
    if (key > pivotKey || (key === pivotKey && indices[i]! < pivot)) swap(indices, i, place++);
  }
  swap(indices, place, end - 1);
  return place;
}

function medianOfThree(indices: Int32Array, start: number, end: number, keys: ArrayLike<number>): number {
  const [low, middle, high] = [start, (start + end) >> 1, end - 1];
  const before = (a: number, b: number): boolean => isBefore(indices[a]!, indices[b]!, keys);
  if (before(low, middle) === before(middle, high)) return middle;
  return before(low, middle) === before(high, low) ? low : high;
}

function isBefore(a: number, b: number, keys: ArrayLike<number>): boolean {
  return keys[a]! > keys[b]! || (keys[a] === keys[b] && a < b);
}

function swap(indices: Int32Array, a: number, b: number): void {
  const held = indices[a]!;
  indices[a] = indices[b]!;
  indices[b] = held;
}

/** Index of the largest value; of equal ones the first. */
export function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
