// Ids of everything we store: UUIDv7 (RFC 9562, section 5.7) with a short prefix. They order by
// creation time and their last byte is the shard byte of DESIGN.md section 7, so that the users'
// tables can be split later without renaming anybody.
import { assert } from "./assert.ts";
import { hexEncode } from "./encoding.ts";
import type { RandomBytes } from "./random.ts";

export type IdPrefix =
  | "usr"
  | "con"
  | "acc"
  | "pur"
  | "ent"
  | "brd"
  | "off"
  | "red"
  | "clm"
  | "ses"
  | "psk"
  | "emc"
  | "cod"
  | "req"
  | "int"
  | "qua"
  | "evt"
  | "hld"
  | "lot"
  | "crr"
  | "chg"
  | "lnk"
  | "etr"
  | "agr"
  | "hlt"
  | "rnw";

declare const brand: unique symbol;
/**
 * An id of one kind. The kinds do not mix: passing a `con_` where a `usr_` belongs does not
 * compile.
 */
export type Id<P extends IdPrefix> = `${P}_${string}` & { readonly [brand]?: P };

export type UserId = Id<"usr">;
export type ConnectionId = Id<"con">;
export type AccountId = Id<"acc">;
export type PurchaseId = Id<"pur">;
export type EntryId = Id<"ent">;
export type BrandId = Id<"brd">;
export type OfferId = Id<"off">;
export type SessionId = Id<"ses">;

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * Makes a new id. With `shardOf`, the id carries the shard byte of its owner (an id too), so that
 * everything of one user lands in one shard.
 */
export function newId<P extends IdPrefix>(
  prefix: P,
  nowMs: number,
  random: RandomBytes,
  shardOf?: string,
): Id<P> {
  assert(
    Number.isSafeInteger(nowMs) && nowMs >= 0 && nowMs < 2 ** 48,
    "id_time_invalid",
    "the time of a new id does not fit into 48 bits",
  );
  const bytes = random(16);
  let time = nowMs;
  for (let index = 5; index >= 0; index--) {
    bytes[index] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  if (shardOf !== undefined) bytes[15] = shardByteOf(shardOf);
  const hex = hexEncode(bytes);
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${
    hex.slice(20)
  }`;
  return `${prefix}_${uuid}` as Id<P>;
}

/** Whether a text from outside is an id of that kind. */
export function isId<P extends IdPrefix>(prefix: P, text: string): text is Id<P> {
  return text.startsWith(`${prefix}_`) && UUID_V7.test(text.slice(prefix.length + 1));
}

/** The shard byte (0 to 255) that an id carries. */
export function shardByteOf(id: string): number {
  const hex = /[0-9a-f]{2}$/.exec(id)?.[0];
  assert(hex !== undefined, "id_without_shard", "an id does not end with a shard byte");
  return Number.parseInt(hex, 16);
}
