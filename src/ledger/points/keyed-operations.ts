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
  coverDebt,
  placeHold,
  reinstateHold,
  releaseAllOpen,
  releaseHold,
  settleHold,
} from "./holds.ts";
import { expiryMs, pendingLots, readLot, saveLot } from "./lot-rows.ts";
import { grant, reverseLot, spendFromLots } from "./lots.ts";
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
import type { Call } from "../book/call.ts";

type Operated = Result<HoldView | GrantView, HoldError | GrantError | KeyConflict>;

/**
 * Runs the operation once per key. Refusals are kept like successes: the same key never has two
 * answers. `lotsInQuestion`: those whose purchases a webhook has called into question.
 */
export function operate(
  call: Call,
  key: string,
  operation: KeyedOperation,
  lotsInQuestion: () => ReadonlySet<number>,
): Operated {
  assert(
    key.length > 0 && key.length <= 255,
    "request_key_invalid",
    "the request key is empty or longer than 255 characters",
  );
  const inputHash = sha256Hex(canonicalJson(operation));
  const known = call.sql.exec("SELECT input_hash, result FROM requests WHERE key = ?", key)[0];
  if (known !== undefined) {
    return textOf(known, "input_hash") === inputHash
      ? (JSON.parse(textOf(known, "result")) as Operated)
      : err({ code: "idempotency_conflict" });
  }
  const result = perform(call, key, operation, lotsInQuestion);
  call.sql.exec(
    "INSERT INTO requests (key, input_hash, result, at_ms) VALUES (?, ?, ?, ?)",
    key,
    inputHash,
    JSON.stringify(result),
    call.nowMs,
  );
  return result;
}

function perform(
  call: Call,
  key: string,
  operation: KeyedOperation,
  lotsInQuestion: () => ReadonlySet<number>,
): Operated {
  switch (operation.kind) {
    case "hold":
      return placeHold(call, {
        redemptionId: operation.redemptionId,
        points: operation.points,
        expiresAtMs: operation.expiresAtMs,
      }, lotsInQuestion());
    case "commit":
      return commitHold(call, operation.redemptionId, lotsInQuestion());
    case "settle":
      return settleHold(call, operation.redemptionId);
    case "reinstate":
      return reinstateHold(call, operation.redemptionId);
    case "release":
      return releaseHold(call, operation.redemptionId, operation.cause);
    case "goodwill":
    case "referral":
      return give(call, key, operation);
    case "reverse_grant":
      return takeBack(call, operation.source, operation.reference);
    case "forfeit":
      return forfeit(call, key);
  }
}

const grantKey = (source: string, reference: string): string => `grant:${source}:${reference}`;

function give(
  call: Call,
  key: string,
  operation: Extract<KeyedOperation, { readonly kind: "goodwill" | "referral" }>,
): Operated {
  assert(
    Number.isSafeInteger(operation.points) && operation.points > 0,
    "grant_points_invalid",
    "a grant of no points, or of a fraction of a point, was asked for",
  );
  const confirmAtMs = operation.kind === "referral" ? operation.confirmAtMs : call.nowMs;
  const lotNo = grant(call, {
    kind: operation.kind,
    key: `${operation.kind}:${key}`,
    input: { points: operation.points, reference: operation.reference },
    points: operation.points,
    effectiveOn: dayOf(call.nowMs),
    confirmAtMs,
    expiresAtMs: expiryMs(confirmAtMs, operation.programme.pointsExpireMonths),
    purchase: null,
    brandId: null,
    offerId: null,
    cents: null,
    isShown: true,
  });
  coverDebt(call);
  // Under which reference the grant is found again, should it be taken back.
  call.sql.exec(
    "INSERT INTO requests (key, input_hash, result, at_ms) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET result = excluded.result",
    grantKey(operation.kind, operation.reference),
    "",
    String(lotNo),
    call.nowMs,
  );
  return ok({
    entryId: readLot(call, lotNo).entryId,
    points: operation.points,
    balances: call.head.balances,
  });
}

function takeBack(call: Call, source: "referral" | "goodwill", reference: string): Operated {
  const row =
    call.sql.exec("SELECT result FROM requests WHERE key = ?", grantKey(source, reference))[0];
  if (row === undefined) return err({ code: "grant_unknown" });
  const lot = readLot(call, Number(textOf(row, "result")));
  const points = reverseLot(call, lot, lot.granted, {
    key: `reverse:${source}:${lot.lotNo}`,
    purchaseId: null,
    cents: 0,
    purchases: 0,
  });
  coverDebt(call);
  return ok({ entryId: lot.reversalId ?? lot.entryId, points, balances: call.head.balances });
}

/**
 * Open holds are released, then pending and available points go to programme:forfeited. A committed
 * hold must end first.
 */
function forfeit(call: Call, key: string): Result<GrantView, GrantError> {
  if (call.sql.exec("SELECT 1 FROM holds WHERE state = 'committed' LIMIT 1").length > 0) {
    return err({ code: "hold_committed" });
  }
  releaseAllOpen(call);
  const { pending, available } = call.head.balances;
  const spendable = Math.max(available, 0);
  const points = pending + spendable;
  if (points === 0) return err({ code: "nothing_to_forfeit" });
  const lots: (readonly [number, number])[] = [];
  for (const lot of pendingLots(call)) {
    const active = lot.granted - lot.reversed;
    lots.push([lot.lotNo, active]);
    // Nothing of it matures or can be reversed any more.
    lot.state = "available";
    lot.expired = active;
    saveLot(call, lot);
  }
  if (spendable > 0) lots.push(...forfeitOpen(call, spendable));
  const entryId: EntryId = postTo(call, {
    kind: "forfeit",
    key: `forfeit:${key}`,
    input: { points },
    effectiveOn: dayOf(call.nowMs),
    lots,
    postings: [
      ...(pending > 0 ? [["pending", -pending] as const] : []),
      ...(spendable > 0 ? [["available", -spendable] as const] : []),
      ["programme:forfeited", points],
    ],
  });
  return ok({ entryId, points, balances: call.head.balances });
}

function forfeitOpen(call: Call, points: number): (readonly [number, number])[] {
  const parts = spendFromLots(call, points);
  for (const [lotNo, part] of parts) {
    const lot = readLot(call, lotNo);
    lot.expired += Math.min(part, lot.granted - lot.reversed - lot.expired);
    saveLot(call, lot);
  }
  return parts;
}

/** Requests are forgotten after the longest time in which a caller repeats them. */
export function forgetRequests(call: Call, olderThanMs: number): number {
  const rows = call.sql.exec(
    "SELECT COUNT(*) AS n FROM requests WHERE at_ms < ? AND input_hash <> ''",
    olderThanMs,
  )[0] ?? {};
  call.sql.exec("DELETE FROM requests WHERE at_ms < ? AND input_hash <> ''", olderThanMs);
  return integerOf(rows, "n");
}
