/** @file Option values as people write them: sizes, times and counts with units, files of JSON. */

import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { ConfigError, messageOf } from "../base/errors.js";

/** "4GB", "512 MB", "2e9" → bytes. Units are powers of 1024, as memory is sold. */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?(?:e\d+)?)\s*([kmgt]i?b?|b)?$/i.exec(text.trim());
  const exponent = "bkmgt".indexOf((match?.[2]?.[0] ?? "b").toLowerCase());
  const value = Number(match?.[1]) * 1024 ** exponent;
  if (!match || !(value >= 1)) throw new InvalidArgumentError(`expected a size such as 4GB or 512MB, got "${text}"`);
  return Math.floor(value);
}

/** "60", "90s", "2m", "1.5h" → seconds. */
export function parseSeconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(s|sec|m|min|h)?$/i.exec(text.trim());
  const unit = { s: 1, m: 60, h: 3600 }[(match?.[2]?.[0] ?? "s").toLowerCase()];
  const value = Number(match?.[1]) * (unit ?? Number.NaN);
  if (!match || !(value > 0)) throw new InvalidArgumentError(`expected a time such as 60s, 5m or 1h, got "${text}"`);
  return value;
}

/** A whole number in a range. */
export function parseInteger(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < low || value > high || text.trim() === "") {
      throw new InvalidArgumentError(`expected a whole number from ${low} to ${high}, got "${text}"`);
    }
    return value;
  };
}

/** A part of a whole that is not all of it: from 0 to below 1. */
export function parseShare(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < 1) || text.trim() === "") {
    throw new InvalidArgumentError(`expected a share from 0 to below 1, got "${text}"`);
  }
  return value;
}

/** A number above 0. */
export function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) {
    throw new InvalidArgumentError(`expected a number above 0, got "${text}"`);
  }
  return value;
}

/** @throws ConfigError when the file is no object of JSON. */
export function readJsonObject(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new ConfigError("it is no object");
  } catch (thrown) {
    throw new ConfigError(`reading ${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
