// Where answers wait for repeats. One row per scope, taken by an insert that only one of two racing
// requests can win.
import { and, eq, lt, sql } from "drizzle-orm";
import { IDEMPOTENCY_LOCK_MS, IDEMPOTENCY_TTL_MS, keptAnswersMax } from "./idempotency.ts";
import type { IdempotencyScope, IdempotencyStore, StoredAnswer } from "./idempotency.ts";
import { utf8Decode, utf8Encode } from "../kernel/encoding.ts";
import { sha256Hex } from "../kernel/hash.ts";
import { openWithKeyring, sealWithKeyring } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { Database } from "../db/database.ts";
import { idempotencyKeys } from "../db/platform-tables.ts";

function scopeKey(scope: IdempotencyScope): string {
  return sha256Hex(JSON.stringify([scope.principal, scope.method, scope.path, scope.key]));
}

/** By which a principal's answers are counted, without saying whose they are. */
const principalKey = (principal: string): string => sha256Hex(JSON.stringify([principal]));

const place = (scope: string): string => `idempotency_keys|answer||${scope}|k1`;

export function idempotencyStore(
  db: Database,
  keyring: Keyring,
  random: RandomBytes,
): IdempotencyStore {
  const keys = idempotencyKeys;
  // A request that outlived its lock must not touch the lock of the one that took over.
  const stillHeld = (key: string, startedAtMs: number) =>
    and(eq(keys.scope, key), eq(keys.state, "running"), eq(keys.startedAtMs, startedAtMs));
  return {
    async begin(scope, requestHash, nowMs) {
      const key = scopeKey(scope);
      const row = {
        scope: key,
        requestHash,
        state: "running" as const,
        answerCipher: null,
        startedAtMs: nowMs,
        expiresAtMs: nowMs + IDEMPOTENCY_TTL_MS,
        principal: principalKey(scope.principal),
      };
      const max = keptAnswersMax(scope.principal);
      // Takes a free key, an expired one, or one whose request died and that asks for the same
      // thing. One that has a row already needs no room.
      const taken = await db.insert(keys).select(
        sql`SELECT ${key}, ${requestHash}, 'running', NULL, ${nowMs}, ${row.expiresAtMs}, ${row.principal}
          WHERE (SELECT COUNT(*) FROM (SELECT 1 FROM idempotency_keys k WHERE k.principal = ${row.principal} AND k.expires_at_ms > ${nowMs} LIMIT ${max})) < ${max}
            OR EXISTS (SELECT 1 FROM idempotency_keys o WHERE o.scope = ${key})`,
      ).onConflictDoUpdate({
        target: keys.scope,
        set: row,
        setWhere:
          sql`${keys.expiresAtMs} <= ${nowMs} OR (${keys.state} = 'running' AND ${keys.startedAtMs} <= ${
            nowMs - IDEMPOTENCY_LOCK_MS
          } AND ${keys.requestHash} = ${requestHash})`,
      }).returning({ scope: keys.scope });
      if (taken.length > 0) return { state: "started", startedAtMs: nowMs };
      const [found] = await db.select().from(keys).where(eq(keys.scope, key));
      // Of a principal without room, or gone between the two statements: the next try will know.
      if (found === undefined) return { state: "full" };
      if (found.requestHash !== requestHash) return { state: "conflict" };
      if (found.state === "running" || found.answerCipher === null) return { state: "in_progress" };
      const opened = await openWithKeyring(keyring, place(key), found.answerCipher);
      if (!opened.ok) throw new Error("a kept answer cannot be decrypted");
      return { state: "done", answer: JSON.parse(utf8Decode(opened.value)) as StoredAnswer };
    },
    async complete(scope, startedAtMs, answer, expiresAtMs) {
      const key = scopeKey(scope);
      const answerCipher = await sealWithKeyring(
        keyring,
        place(key),
        utf8Encode(JSON.stringify(answer)),
        random,
      );
      await db.update(keys).set({
        state: "done",
        answerCipher,
        expiresAtMs,
      }).where(stillHeld(key, startedAtMs));
    },
    async abandon(scope, startedAtMs) {
      await db.delete(keys).where(stillHeld(scopeKey(scope), startedAtMs));
    },
  };
}

/** Forgets answers whose time is over. Returns how many. */
export async function purgeIdempotencyKeys(db: Database, nowMs: number): Promise<number> {
  const gone = await db.delete(idempotencyKeys).where(lt(idempotencyKeys.expiresAtMs, nowMs))
    .returning({ scope: idempotencyKeys.scope });
  return gone.length;
}
