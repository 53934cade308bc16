// What screens, exports and operators see of a book. Reading only.
import type { AccountId, BrandId, ConnectionId, OfferId, PurchaseId } from "../../kernel/ids.ts";
import { dayOf } from "../book/paris-days.ts";
import { bodyFrom, changesOf } from "../book/transactions.ts";
import { allHolds } from "../points/holds.ts";
import { NOTICE_TO_EXPIRY_MS } from "../points/lot-rows.ts";
import type {
  BankingActivity,
  EntryView,
  ExportPage,
  Page,
  PointsView,
  PurchaseQuery,
  PurchaseView,
  ReviewItem,
  Verdict,
} from "../ports.ts";
import {
  activePoints,
  findPurchase,
  PURCHASE_COLUMNS,
  purchaseFrom,
  shownState,
} from "../purchases/purchase-rows.ts";
import type { PurchaseRow } from "../purchases/purchase-rows.ts";
import { integerOf, integerOrNull, textOf, textOrNull } from "../book/sql.ts";
import type { SqlRow } from "../book/sql.ts";
import { shownReasons, stageChecks } from "./row-checks.ts";
import type { RefundedPurchase, Surroundings } from "./row-checks.ts";
import type { Call } from "../book/call.ts";

export function pointsView(call: Call): PointsView {
  const confirming = call.sql.exec(
    "SELECT due_ms, granted - reversed AS points FROM lots WHERE state = 'pending' AND due_ms IS NOT NULL ORDER BY due_ms",
  );
  // No point expires within a week of the first notice about it, sent or still to be sent.
  const expiring = call.sql.exec(
    `SELECT MAX(expires_at_ms, MIN(COALESCE(noticed_30_ms, ?1), COALESCE(noticed_7_ms, ?1)) + ?2) AS due_ms, remaining AS points
     FROM lots WHERE remaining > 0 ORDER BY due_ms`,
    call.nowMs,
    NOTICE_TO_EXPIRY_MS,
  );
  return {
    balances: call.head.balances,
    nextConfirmation: nextOf(confirming),
    nextExpiry: nextOf(expiring),
    sequence: call.head.sequence,
    head: call.head.hash,
  };
}

/** All points of the first day on which something happens. */
function nextOf(rows: readonly SqlRow[]): { readonly on: string; readonly points: number } | null {
  const first = rows[0];
  if (first === undefined) return null;
  const on = dayOf(integerOf(first, "due_ms"));
  let points = 0;
  for (const row of rows) {
    if (dayOf(integerOf(row, "due_ms")) !== on) break;
    points += integerOf(row, "points");
  }
  return { on, points };
}

function entryFrom(row: SqlRow): EntryView {
  const body = bodyFrom(row);
  return {
    id: body.id,
    sequence: body.sequence,
    kind: body.kind,
    changes: changesOf(body.postings),
    balances: body.balances,
    purchaseId: body.purchase_id ?? null,
    brandId: (body.brand_id ?? null) as BrandId | null,
    redemptionId: body.redemption_id ?? null,
    reverses: body.reverses ?? null,
    effectiveOn: body.effective_on,
    recordedAtMs: body.recorded_at_ms,
    hash: textOf(row, "hash"),
  };
}

/** Newest first. `before` is the sequence of the last entry shown. */
export function entriesPage(call: Call, limit: number, before: string | null): Page<EntryView> {
  const below = before === null ? Number.MAX_SAFE_INTEGER : Number(before);
  const rows = call.sql.exec(
    "SELECT body, hash FROM transactions WHERE sequence < ? ORDER BY sequence DESC LIMIT ?",
    Number.isSafeInteger(below) ? below : 0,
    limit + 1,
  );
  const items = rows.slice(0, limit).map(entryFrom);
  const last = items.at(-1);
  return {
    items,
    nextBefore: rows.length > limit && last !== undefined ? String(last.sequence) : null,
  };
}

/**
 * The columns of a list with the account's id, the purchase that a row repeats, those that it
 * refunds, and what was taken back from their lots.
 */
const VIEW = `SELECT ${
  PURCHASE_COLUMNS.split(",").map((column) => `p.${column.trim()}`).join(", ")
}, a.account_id AS account_id,
  (SELECT id FROM purchases WHERE n = p.same_as) AS same_as_id, l.reversed AS taken_back, l.state AS lot_state,
  CASE WHEN p.refund_of IS NULL THEN NULL ELSE (
    SELECT json_group_array(json_object('id', r.id, 'granted', CASE WHEN r.waits_for IS NULL THEN r.granted END,
      'takenBack', COALESCE((SELECT reversed FROM lots WHERE lot_no = r.lot_no), 0), 'refundedCents', r.refunded_cents,
      'cents', part.value ->> 1, 'place', part.key))
    FROM json_each(COALESCE(p.refund_parts, json_array(json_array(p.refund_of, p.amount_cents)))) part JOIN purchases r ON r.n = part.value ->> 0
  ) END AS refunded
  FROM purchases p JOIN accounts a ON a.account_no = p.account_no LEFT JOIN lots l ON l.lot_no = p.lot_no`;

/** The purchases that a refund gives back, in the order in which it takes them. */
function refundedFrom(row: SqlRow): RefundedPurchase[] {
  const text = textOrNull(row, "refunded");
  if (text === null) return [];
  const parts = JSON.parse(text) as readonly (RefundedPurchase & { readonly place: number })[];
  return [...parts].sort((a, b) => a.place - b.place);
}

function viewFrom(row: SqlRow): PurchaseView {
  const record = purchaseFrom(row);
  return {
    id: record.id,
    accountId: textOf(row, "account_id") as AccountId,
    externalId: record.externalId,
    labelCipher: record.labelCipher,
    purchasedOn: record.purchasedOn,
    bookedOn: record.bookedOn,
    amountCents: record.amountCents,
    currency: record.currency,
    original: record.original,
    kind: record.kind,
    state: shownState(record),
    brand: record.brand,
    verdict: verdictFrom(record, row),
    refundParts: refundedFrom(row).map(({ id, cents }) => ({ purchaseId: id, amountCents: cents })),
  };
}

function surroundingsFrom(row: SqlRow): Surroundings {
  return {
    sameAs: textOrNull(row, "same_as_id") as PurchaseId | null,
    takenBack: integerOrNull(row, "taken_back") ?? 0,
    refunded: refundedFrom(row),
  };
}

function verdictFrom(record: PurchaseRow, row: SqlRow): Verdict {
  const { calculation, confirmAtMs } = record.findings;
  const reasons = shownReasons(record);
  const stages = stageChecks(record, surroundingsFrom(row));
  const checks = [...stages.before, ...record.findings.checks, ...stages.after];
  const expected =
    confirmAtMs !== null && (record.outcome === "earned" || record.waitsFor === "budget")
      ? dayOf(confirmAtMs)
      : null;
  return {
    outcome: record.outcome,
    points: activePoints(record),
    reasons,
    checks,
    calculation,
    offer: record.offer,
    confirmationExpectedOn: expected,
    confirmed: row["lot_state"] === "available",
  };
}

/**
 * Newest purchase day first. A row that only repeats another, or was taken over, is not a purchase
 * of its own.
 */
export function purchasesPage(call: Call, query: PurchaseQuery): Page<PurchaseView> {
  const conditions = ["p.same_as IS NULL"];
  const bindings: (string | number)[] = [];
  const add = (condition: string, ...values: (string | number)[]): void => {
    conditions.push(condition);
    bindings.push(...values);
  };
  if (query.from !== null) add("p.purchased_on >= ?", query.from);
  if (query.to !== null) add("p.purchased_on <= ?", query.to);
  if (query.brandId !== null) add("p.brand_id = ?", query.brandId);
  if (query.outcome !== null) add("p.outcome = ?", query.outcome);
  if (query.before !== null) {
    const [day = "", n = "0"] = query.before.split(":");
    add("(p.purchased_on, p.n) < (?, ?)", day, Number(n));
  }
  const rows = call.sql.exec(
    `${VIEW} WHERE ${conditions.join(" AND ")} ORDER BY p.purchased_on DESC, p.n DESC LIMIT ?`,
    ...bindings,
    query.limit + 1,
  );
  const last = rows[query.limit - 1];
  return {
    items: rows.slice(0, query.limit).map(viewFrom),
    nextBefore: rows.length > query.limit && last !== undefined
      ? `${textOf(last, "purchased_on")}:${integerOf(last, "n")}`
      : null,
  };
}

/** One purchase by any id that was ever shown for it. */
export function purchaseView(call: Call, id: PurchaseId): PurchaseView | null {
  const record = findPurchase(call, id);
  const row = record === null ? undefined : call.sql.exec(`${VIEW} WHERE p.n = ?`, record.n)[0];
  return row === undefined ? null : viewFrom(row);
}

export function bankingActivity(call: Call): BankingActivity {
  const connections = call.sql.exec(
    "SELECT connection_id, last_synced_at_ms FROM connections ORDER BY connection_id",
  );
  const accounts = call.sql.exec(
    `SELECT account_id, (SELECT purchased_on FROM purchases p WHERE p.account_no = a.account_no AND p.kind = 'purchase' AND (p.state = 'booked' OR p.waits_for IS NOT NULL)
       ORDER BY purchased_on DESC, n DESC LIMIT 1) AS last_on FROM accounts a ORDER BY account_no`,
  );
  return {
    connections: connections.map((row) => ({
      connectionId: textOf(row, "connection_id") as ConnectionId,
      lastSyncedAtMs: integerOf(row, "last_synced_at_ms"),
    })),
    accounts: accounts.map((row) => ({
      accountId: textOf(row, "account_id") as AccountId,
      lastPurchaseOn: textOrNull(row, "last_on"),
    })),
  };
}

/** The newest activation of each offer. */
export function activationsView(
  call: Call,
): {
  readonly offerId: OfferId;
  readonly activatedAtMs: number;
  readonly expiresAtMs: number | null;
}[] {
  return call.sql.exec(
    "SELECT offer_id, MAX(activated_at_ms) AS activated_at_ms, expires_at_ms FROM activations GROUP BY offer_id ORDER BY offer_id",
  )
    .map((row) => ({
      offerId: textOf(row, "offer_id") as OfferId,
      activatedAtMs: integerOf(row, "activated_at_ms"),
      expiresAtMs: integerOrNull(row, "expires_at_ms"),
    }));
}

/** Purchases that wait for a person, and refunds whose purchase has not come. */
export function reviewItems(call: Call): ReviewItem[] {
  return call.sql.exec(
    `${VIEW} WHERE p.same_as IS NULL AND p.state <> 'deleted' AND (p.waits_for IN ('review', 'purchase') OR (p.kind = 'refund' AND p.refund_of IS NULL AND p.state = 'booked')) ORDER BY p.n`,
  )
    .flatMap((row) => {
      const { review } = purchaseFrom(row);
      const why = review === null || review === "cleared" || review === "lapsed"
        ? "refund_without_purchase"
        : review;
      return why === "refused" ? [] : [{ purchase: viewFrom(row), why }];
    });
}

const EXPORT_ROWS = 200;

/**
 * Everything the book holds of the user, in pages: purchases by recording number, then entries by
 * sequence, then the rest.
 */
export function exportPage(call: Call, cursor: string | null): ExportPage {
  const [part = "p", at = "0"] = (cursor ?? "p:0").split(":");
  const empty = { purchases: [], entries: [], activations: [], holds: [] };
  if (part === "p") {
    const rows = call.sql.exec(
      `${VIEW} WHERE p.n > ? ORDER BY p.n LIMIT ?`,
      Number(at),
      EXPORT_ROWS,
    );
    const last = rows.at(-1);
    return {
      ...empty,
      purchases: rows.map(viewFrom),
      next: last !== undefined && rows.length === EXPORT_ROWS ? `p:${integerOf(last, "n")}` : "e:0",
    };
  }
  const rows = call.sql.exec(
    "SELECT sequence, body, hash FROM transactions WHERE sequence > ? ORDER BY sequence LIMIT ?",
    Number(at),
    EXPORT_ROWS,
  );
  const last = rows.at(-1);
  if (last !== undefined && rows.length === EXPORT_ROWS) {
    return { ...empty, entries: rows.map(entryFrom), next: `e:${integerOf(last, "sequence")}` };
  }
  return {
    ...empty,
    entries: rows.map(entryFrom),
    activations: activationsView(call),
    holds: allHolds(call),
    next: null,
  };
}
