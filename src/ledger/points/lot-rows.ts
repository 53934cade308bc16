// The lots of a book as they are stored, when each falls due, and the reads and writes of them. What
// moves their points is in lots.ts.
import { assert } from "../../kernel/assert.ts";
import type { EntryId } from "../../kernel/ids.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { dayOf, startOfLaterMonthMs } from "../book/paris-days.ts";
import { integerOf, integerOrNull, textOf, textOrNull } from "../book/sql.ts";
import type { SqlRow } from "../book/sql.ts";
import type { Call } from "../book/call.ts";

type LotSource = "purchases" | "referral" | "goodwill";

export type Lot = {
  readonly lotNo: number;
  readonly source: LotSource;
  readonly purchaseNo: number | null;
  readonly entryId: EntryId;
  reversalId: EntryId | null;
  readonly brandId: string | null;
  readonly offerId: string | null;
  state: "pending" | "available";
  granted: number;
  reversed: number;
  expired: number;
  remaining: number;
  readonly confirmAtMs: number;
  expiresAtMs: number;
  noticed30Ms: number | null;
  noticed7Ms: number | null;
  /** Past its date, it waits for a read of its purchase until then; null: it does not wait. */
  waitsUntilMs: number | null;
};

/** The user has at least this long between a notice and the expiry it announces. */
export const NOTICE_TO_EXPIRY_MS = 7 * DAY_MS;
const COLUMNS =
  `lot_no, source, purchase_no, entry_id, reversal_id, brand_id, offer_id, state, granted, reversed, expired, remaining,
  confirm_at_ms, expires_at_ms, noticed_30_ms, noticed_7_ms, waits_until_ms`;

// Statements are made once: the drivers find the compiled form by the text, and a text built anew
// is compared letter by letter. What every new lot begins with is part of the text: a value that is
// bound costs as much as a column that is written.
const INSERT =
  `INSERT INTO lots (lot_no, source, purchase_no, entry_id, brand_id, offer_id, state, granted, reversed, expired, remaining, confirm_at_ms, expires_at_ms, due_ms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)`;
const READ = `SELECT ${COLUMNS} FROM lots WHERE lot_no = ?`;

function lotFrom(row: SqlRow): Lot {
  return {
    lotNo: integerOf(row, "lot_no"),
    source: textOf(row, "source") as LotSource,
    purchaseNo: integerOrNull(row, "purchase_no"),
    entryId: textOf(row, "entry_id") as EntryId,
    reversalId: textOrNull(row, "reversal_id") as EntryId | null,
    brandId: textOrNull(row, "brand_id"),
    offerId: textOrNull(row, "offer_id"),
    state: textOf(row, "state") as Lot["state"],
    granted: integerOf(row, "granted"),
    reversed: integerOf(row, "reversed"),
    expired: integerOf(row, "expired"),
    remaining: integerOf(row, "remaining"),
    confirmAtMs: integerOf(row, "confirm_at_ms"),
    expiresAtMs: integerOf(row, "expires_at_ms"),
    noticed30Ms: integerOrNull(row, "noticed_30_ms"),
    noticed7Ms: integerOrNull(row, "noticed_7_ms"),
    waitsUntilMs: integerOrNull(row, "waits_until_ms"),
  };
}

/**
 * When points confirmed on that day expire: at the start of the same day `months` later, in Paris.
 */
export function expiryMs(confirmAtMs: number, months: number): number {
  return startOfLaterMonthMs(dayOf(confirmAtMs), months);
}

/**
 * When something happens to the lot by itself: it matures, or it expires, which takes a notice sent
 * a week before.
 */
export function lotDueMs(lot: Lot): number | null {
  if (lot.state === "pending") {
    return lot.granted - lot.reversed > 0 ? lot.waitsUntilMs ?? lot.confirmAtMs : null;
  }
  if (lot.remaining === 0) return null;
  const noticed = Math.min(lot.noticed30Ms ?? Infinity, lot.noticed7Ms ?? Infinity);
  return noticed === Infinity ? null : Math.max(lot.expiresAtMs, noticed + NOTICE_TO_EXPIRY_MS);
}

export function readLot(call: Call, lotNo: number): Lot {
  const row = call.sql.exec(READ, lotNo)[0];
  assert(row !== undefined, "lot_not_found", "lot not found");
  return lotFrom(row);
}

/** Lots with points left, the one that expires first at the front. */
export function openLots(call: Call): Lot[] {
  return call.sql.exec(
    `SELECT ${COLUMNS} FROM lots WHERE remaining > 0 ORDER BY expires_at_ms, lot_no`,
  ).map(lotFrom);
}

/** Lots that still wait for their confirmation and have something to confirm. */
export function pendingLots(call: Call): Lot[] {
  return call.sql.exec(
    `SELECT ${COLUMNS} FROM lots WHERE state = 'pending' AND due_ms IS NOT NULL ORDER BY lot_no`,
  ).map(lotFrom);
}

export function dueLots(call: Call, limit: number): Lot[] {
  return ["pending", "available"].flatMap((state) =>
    call.sql.exec(
      `SELECT ${COLUMNS} FROM lots WHERE state = ? AND due_ms <= ? ORDER BY due_ms, lot_no LIMIT ?`,
      state,
      call.nowMs,
      limit,
    ).map(lotFrom)
  );
}

/** Writes a lot that was just granted: nothing of it is reversed, expired or announced. */
export function insertLot(call: Call, lot: Lot): void {
  call.sql.exec(
    INSERT,
    lot.lotNo,
    lot.source,
    lot.purchaseNo,
    lot.entryId,
    lot.brandId,
    lot.offerId,
    lot.state,
    lot.granted,
    lot.remaining,
    lot.confirmAtMs,
    lot.expiresAtMs,
    lotDueMs(lot),
  );
}

export function saveLot(call: Call, lot: Lot): void {
  call.sql.exec(
    `UPDATE lots SET reversal_id = ?, state = ?, granted = ?, reversed = ?, expired = ?, remaining = ?, expires_at_ms = ?, noticed_30_ms = ?, noticed_7_ms = ?, waits_until_ms = ?, due_ms = ?
     WHERE lot_no = ?`,
    lot.reversalId,
    lot.state,
    lot.granted,
    lot.reversed,
    lot.expired,
    lot.remaining,
    lot.expiresAtMs,
    lot.noticed30Ms,
    lot.noticed7Ms,
    lot.waitsUntilMs,
    lotDueMs(lot),
    lot.lotNo,
  );
}

/** Lots that still wait past their date for a read that shows their purchase. */
export function waitingLots(call: Call): Lot[] {
  return call.sql.exec(
    `SELECT ${COLUMNS} FROM lots WHERE state = 'pending' AND due_ms IS NOT NULL AND waits_until_ms IS NOT NULL ORDER BY lot_no`,
  ).map(lotFrom);
}
