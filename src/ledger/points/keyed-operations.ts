// Operations that other domains ask for under a request key: holds, referral and goodwill points,
// forfeiture. The first answer is kept with the hash of its input, so a repeat after a lost answer
// changes nothing and a key used twice is noticed.
import { assert } from "../../kernel/assert.ts";
import { canonicalJson, sha256Hex } from "../../kernel/hash.ts";
import type { EntryId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { dayOf } from "../book/paris-days.ts";
import {
  commitHold,
  placeHold,
  reinstateHold,
  releaseAllOpen,
  releaseHold,
  settleDebt,
  settleHold,
} from "./holds.ts";
import {
  expiryMs,
  grant,
  pendingLots,
  readLot,
  reverseLot,
  saveLot,
  spendFromLots,
} from "./lots.ts";
import type {
  GrantError,
  GrantView,
  HoldError,
  HoldView,
  KeyConflict,
  KeyedOperation,
} from "../ports.ts";
import { integerOf, textOf } from "../book/sql.ts";
import { postTo } from "../book/call.ts";
import type { Work } from "../book/call.ts";

export type Operated = Result<HoldView | GrantView, HoldError | GrantError | KeyConflict>;

/**
 * Runs the operation once per key. Refusals are kept like successes: the same key never has two
 * answers.
 */
export function operate(work: Work, key: string, operation: KeyedOperation): Operated {
  assert(key.length > 0 && key.length <= 255, "a request key has 1 to 255 characters");
  const inputHash = sha256Hex(canonicalJson(operation));
  const known = work.sql.exec("SELECT input_hash, result FROM requests WHERE key = ?", key)[0];
  if (known !== undefined) {
    return textOf(known, "input_hash") === inputHash
      ? (JSON.parse(textOf(known, "result")) as Operated)
      : err({ code: "idempotency_conflict" });
  }
  const result = perform(work, key, operation);
  work.sql.exec(
    "INSERT INTO requests (key, input_hash, result, at_ms) VALUES (?, ?, ?, ?)",
    key,
    inputHash,
    JSON.stringify(result),
    work.nowMs,
  );
  return result;
}

function perform(work: Work, key: string, operation: KeyedOperation): Operated {
  switch (operation.kind) {
    case "hold":
      return placeHold(work, {
        redemptionId: operation.redemptionId,
        points: operation.points,
        expiresAtMs: operation.expiresAtMs,
      });
    case "commit":
      return commitHold(work, operation.redemptionId);
    case "settle":
      return settleHold(work, operation.redemptionId);
    case "reinstate":
      return reinstateHold(work, operation.redemptionId);
    case "release":
      return releaseHold(work, operation.redemptionId, operation.cause);
    case "goodwill":
    case "referral":
      return give(work, key, operation);
    case "reverse_grant":
      return takeBack(work, operation.source, operation.reference);
    case "forfeit":
      return forfeit(work, key);
  }
}

const grantKey = (source: string, reference: string): string => `grant:${source}:${reference}`;

function give(
  work: Work,
  key: string,
  operation: Extract<KeyedOperation, { readonly kind: "goodwill" | "referral" }>,
): Operated {
  assert(
    Number.isSafeInteger(operation.points) && operation.points > 0,
    "a grant is of a positive number of points",
  );
  const confirmAtMs = operation.kind === "referral" ? operation.confirmAtMs : work.nowMs;
  const lotNo = grant(work, {
    kind: operation.kind,
    key: `${operation.kind}:${key}`,
    input: { points: operation.points, reference: operation.reference },
    points: operation.points,
    effectiveOn: dayOf(work.nowMs),
    confirmAtMs,
    expiresAtMs: expiryMs(confirmAtMs, operation.programme.pointsExpireMonths),
    purchase: null,
    brandId: null,
    offerId: null,
    cents: null,
  });
  settleDebt(work);
  // Under which reference the grant is found again, should it be taken back.
  work.sql.exec(
    "INSERT INTO requests (key, input_hash, result, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET result = excluded.result",
    grantKey(operation.kind, operation.reference),
    "",
    String(lotNo),
    work.nowMs,
  );
  return ok({
    entryId: readLot(work, lotNo).entryId,
    points: operation.points,
    balances: work.head.balances,
  });
}

function takeBack(work: Work, source: "referral" | "goodwill", reference: string): Operated {
  const row =
    work.sql.exec("SELECT result FROM requests WHERE key = ?", grantKey(source, reference))[0];
  if (row === undefined) return err({ code: "grant_unknown" });
  const lot = readLot(work, Number(textOf(row, "result")));
  const points = reverseLot(work, lot, lot.granted, {
    key: `reverse:${source}:${lot.lotNo}`,
    purchaseId: null,
    cents: 0,
    purchases: 0,
  });
  settleDebt(work);
  return ok({ entryId: lot.reversalId ?? lot.entryId, points, balances: work.head.balances });
}

/**
 * Open holds are released, then pending and available points go to programme:forfeited. A committed
 * hold must end first.
 */
function forfeit(work: Work, key: string): Result<GrantView, GrantError> {
  if (work.sql.exec("SELECT 1 FROM holds WHERE state = 'committed' LIMIT 1").length > 0) {
    return err({ code: "hold_committed" });
  }
  releaseAllOpen(work);
  const { pending, available } = work.head.balances;
  const spendable = Math.max(available, 0);
  const points = pending + spendable;
  if (points === 0) return err({ code: "nothing_to_forfeit" });
  const lots: (readonly [number, number])[] = [];
  for (const lot of pendingLots(work)) {
    const standing = lot.granted - lot.reversed;
    lots.push([lot.lotNo, standing]);
    // Nothing of it matures or can be reversed any more.
    lot.state = "available";
    lot.expired = standing;
    saveLot(work, lot);
  }
  if (spendable > 0) lots.push(...forfeitOpen(work, spendable));
  const entryId: EntryId = postTo(work, {
    kind: "forfeit",
    key: `forfeit:${key}`,
    input: { points },
    effectiveOn: dayOf(work.nowMs),
    lots,
    postings: [
      ...(pending > 0 ? [["pending", -pending] as const] : []),
      ...(spendable > 0 ? [["available", -spendable] as const] : []),
      ["programme:forfeited", points],
    ],
  });
  return ok({ entryId, points, balances: work.head.balances });
}

function forfeitOpen(work: Work, points: number): (readonly [number, number])[] {
  const parts = spendFromLots(work, points);
  for (const [lotNo, part] of parts) {
    const lot = readLot(work, lotNo);
    lot.expired += Math.min(part, lot.granted - lot.reversed - lot.expired);
    saveLot(work, lot);
  }
  return parts;
}

/** Requests are forgotten after the longest time in which a caller repeats them. */
export function forgetRequests(work: Work, olderThanMs: number): number {
  const rows = work.sql.exec(
    "SELECT COUNT(*) AS n FROM requests WHERE at_ms < ? AND input_hash <> ''",
    olderThanMs,
  )[0] ?? {};
  work.sql.exec("DELETE FROM requests WHERE at_ms < ? AND input_hash <> ''", olderThanMs);
  return integerOf(rows, "n");
}
