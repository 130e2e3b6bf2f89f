/** @file Plans of trainings as settings move: a model's header is read once, shapes are described once. */

import { stat } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { TesseraError } from "../../base/errors.js";
import { readModelHeader } from "../../checkpoint/index.js";
import { modelFromConfig } from "../../models/index.js";
import { countParameters, type LanguageModel, parameterSpecs } from "../../nn/index.js";
import { measureFlops, type Precision } from "../../plan/index.js";
import { Runtime } from "../../runtime/index.js";
import { Refusal } from "../../server/refusal.js";
import type { Plans } from "../../server/studio/service.js";
import type { PlanAnswer, PlanChange, PlanRequest } from "../../server/studio/wire/index.js";
import type { AlgorithmName, OptimizerName } from "../../train/index.js";
import { cellOf, type PlannedMethod, plannedShapes } from "../tuning/index.js";
import { SMALLER, THRIFTY } from "../tuning/tune-plan.js";
import type { FittingShape } from "../tuning-plan.js";

/** Settings whose shapes are kept: moving the budget, and going back and forth, then costs nothing. */
const KEPT = 64;

/** Below this rows are of little use. */
const SHORTEST = 64;

export class PlanControl implements Plans {
  readonly #models = new Map<string, Promise<LanguageModel>>();
  readonly #shapes = new Map<string, Iterable<FittingShape>>();
  #flops: Promise<number> | undefined;

  async plan(request: PlanRequest): Promise<PlanAnswer> {
    const { base, method, length, batchSize, memoryBytes } = request;
    const model = await this.#model(base);
    this.#flops ??= flopsHere();
    const flopsPerSecond = await this.#flops;
    const numParameters = countParameters(parameterSpecs(model));
    const known = { numParameters, maxPositions: model.maxPositions, flopsPerSecond };
    try {
      const shapes = this.#shapesOf(model, request);
      const asked = { batchSize, memoryBytes, flopsPerSecond };
      const cell = cellOf(shapes, asked, method as PlannedMethod, length);
      if (!cell.fits) return { ...known, fits: false, ...(cell.neededBytes && { neededBytes: cell.neededBytes }) };
      const { shape, memory, secondsPerStep, tokensPerSecond } = cell;
      const { save, attentionTile, lossTile, paging } = shape;
      const { rows, vocabulary } = lossTile;
      return {
        ...known,
        ...{ fits: true, memory, secondsPerStep, tokensPerSecond },
        shape: {
          rowsAtOnce: shape.batchSize,
          microBatches: batchSize / shape.batchSize,
          save,
          attentionTile: Math.min(attentionTile, length),
          lossTile: [rows, vocabulary],
          isPaging: paging,
        },
      };
    } catch (thrown) {
      if (!(thrown instanceof TesseraError)) throw thrown;
      return { ...known, fits: false, reason: thrown.message };
    }
  }

  async changes(request: PlanRequest): Promise<PlanChange[]> {
    const found: PlanChange[] = [];
    for (const candidates of candidateChanges(request)) {
      for (const set of candidates) {
        // requests of other pages come in between
        await setImmediate();
        const answer = await this.plan({ ...request, ...set });
        if (!answer.fits) continue;
        found.push({ set, totalBytes: answer.memory.total });
        break;
      }
    }
    const { fits, ...now } = await this.plan(request);
    const needed = !fits && "neededBytes" in now ? now.neededBytes : undefined;
    return needed === undefined ? found : [...found, { set: { memoryBytes: needed }, totalBytes: needed }];
  }

  #shapesOf(model: LanguageModel, request: PlanRequest): Iterable<FittingShape> {
    const { base, method, algorithm, optimizer, precision, length, batchSize } = request;
    const key = JSON.stringify([base, method, algorithm, optimizer, precision, length, batchSize]);
    const settings = {
      algorithm: algorithm as AlgorithmName,
      optimizer: optimizer as OptimizerName | undefined,
      precision: precision as Precision,
      batchSize,
    };
    const shapes = this.#shapes.get(key) ?? remembered(plannedShapes(model, settings, method as PlannedMethod, length));
    // the latest last, so that the first is the one to forget
    this.#shapes.delete(key);
    this.#shapes.set(key, shapes);
    if (this.#shapes.size > KEPT) this.#shapes.delete(this.#shapes.keys().next().value!);
    return shapes;
  }

  /** @throws Refusal 400 for what is no model. */
  async #model(path: string): Promise<LanguageModel> {
    const found = await stat(path).catch(() => undefined);
    if (!found) throw new Refusal(400, `there is nothing at ${path}; give the path of a model on this machine`, "base");
    // what is written anew under a name is another model
    const key = `${path} ${found.mtimeMs}`;
    const model = this.#models.get(key) ?? openHeader(path);
    this.#models.set(key, model);
    model.catch(() => this.#models.delete(key));
    return model;
  }
}

async function openHeader(path: string): Promise<LanguageModel> {
  try {
    return modelFromConfig((await readModelHeader(path)).config);
  } catch (thrown) {
    if (thrown instanceof TesseraError) throw new Refusal(400, thrown.message, "base");
    throw thrown;
  }
}

async function flopsHere(): Promise<number> {
  await using runtime = await Runtime.open();
  return await measureFlops(runtime);
}

/** Kinds of changes from the one that changes least of what is learned; of each kind the first that fits is enough. */
function candidateChanges({ method, algorithm, precision, length }: PlanRequest): Partial<PlanRequest>[][] {
  const lengths: number[] = [];
  for (let shorter = length >> 1; shorter >= SHORTEST; shorter >>= 1) lengths.push(shorter);
  const smaller = after(SMALLER, method);
  const thrifty = after(THRIFTY, algorithm);
  return [
    precision === "float32" && algorithm !== "mezo" ? [{ precision: "bfloat16" }] : [],
    lengths.map((shorter) => ({ length: shorter })),
    method === "lora" ? [{ method: "qlora" }] : [],
    smaller.map((name) => ({ method: name })),
    thrifty.map((name) => ({ algorithm: name, precision: "float32" })),
  ];
}

/** All of them where it is none of them. */
const after = (names: readonly string[], name: string): readonly string[] => names.slice(names.indexOf(name) + 1);

/** A sequence that is made once, as far as it is asked for. */
function remembered<T>(items: Iterable<T>): Iterable<T> {
  const made: T[] = [];
  const rest = items[Symbol.iterator]();
  return {
    *[Symbol.iterator]() {
      for (let i = 0; ; i++) {
        if (i === made.length) {
          const next = rest.next();
          if (next.done) return;
          made.push(next.value);
        }
        yield made[i]!;
      }
    },
  };
}
