// Ids that carry the number of their row, so that a row is found by its public id without an
// index of its own (each index row is billed on every write). Five of the random bytes of the
// UUIDv7 hold the number; the others stay random.
import { newId, shardByteOf } from "../../kernel/ids.ts";
import type { Id, IdPrefix } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";

const NUMBER_BYTES = 5;
const NUMBER_OFFSET = 10;

/** A new id for row `number` (1 and up, in `NUMBER_BYTES` bytes). */
export function numberedId<P extends IdPrefix>(
  prefix: P,
  number: number,
  nowMs: number,
  random: RandomBytes,
  shardOf?: string,
): Id<P> {
  const withNumber: RandomBytes = (length) => {
    const bytes = random(length);
    let rest = number;
    for (let index = NUMBER_OFFSET + NUMBER_BYTES - 1; index >= NUMBER_OFFSET; index--) {
      bytes[index] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return bytes;
  };
  return newId(prefix, nowMs, withNumber, shardOf);
}

/**
 * The row number inside an id of that kind. The caller still compares the stored id: the number
 * alone can be guessed.
 */
export function numberOf(id: string): number {
  return Number.parseInt(id.slice(-12, -2), 16);
}

const TIME_DIGITS = 12;

/**
 * Whether `numberedId` can have made this id for a row of that time and owner. Says so of an id
 * that no row has any more; another user's id for the row of the same number has another time.
 */
export function wasNumberedAt(id: string, nowMs: number, shardOf: string | undefined): boolean {
  const hex = id.slice(id.indexOf("_") + 1).replaceAll("-", "");
  return Number.parseInt(hex.slice(0, TIME_DIGITS), 16) === nowMs &&
    (shardOf === undefined || shardByteOf(id) === shardByteOf(shardOf));
}
