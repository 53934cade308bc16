// What the torture compares: each ledger with the model, D1 with the ledgers, the budget with both.
// Only HTTP, but for the files of the dead edge at the very end. Counts what is wrong and prints
// the first few cases; decides nothing.
import { expectCall } from "../../src/local/api-client.ts";
import { rowOfLabel } from "./bank.ts";
import { BRANDS, expectedOf, grantOf } from "./model.ts";
import type { BrandName, Expected, Row } from "./model.ts";

export type Ledger = {
  readonly userId: string;
  readonly token: string;
  readonly rows: readonly Row[];
  /** Rows of messages that were answered 200; `complete` when all were. */
  readonly answered: ReadonlySet<number>;
  readonly complete: boolean;
  /** Its alarms have run, so nothing waits for a budget any more. */
  readonly atRest: boolean;
};
export type Shown = {
  readonly id: string;
  readonly label: string;
  readonly kind: "purchase" | "refund";
  readonly amount_cents: number;
  readonly state: string;
  readonly refund_of: string | null;
  readonly verdict: {
    readonly outcome: string;
    readonly points: number;
    readonly reasons: readonly { readonly code: string }[];
  };
};
export type Points = {
  readonly pending: number;
  readonly available: number;
  readonly held: number;
  readonly ledger: { readonly sequence: number; readonly head: string };
};
export type Entry = {
  readonly kind: string;
  readonly changes: { readonly pending: number; readonly available: number; readonly held: number };
};
export type Faults = { lost: number; doubled: number; wrong: number };
export type Seen = {
  readonly points: Points;
  readonly shown: readonly Shown[];
  readonly byBrand: Readonly<Record<BrandName, number>>;
  readonly exhausted: number;
  /** Purchases with active points. */
  readonly rewarded: number;
};

const COMPLAINTS_MAX = 20;
let complaints = 0;
/** Counts a difference as wrong and says what it is. */
export function complain(faults: Faults, kind: keyof Faults, text: string, count = 1): void {
  faults[kind] += count;
  if (complaints++ < COMPLAINTS_MAX) console.error(`${kind}: ${text}`);
}

/** Every item of a list of the API. */
export async function readAll<T>(url: string, token: string): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
    const page: { data: T[]; next_cursor: string | null } = await expectCall(
      200,
      "GET",
      `${url}${url.includes("?") ? "&" : "?"}limit=100${
        cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`
      }`,
      undefined,
      { token },
    );
    all.push(...page.data);
    cursor = page.next_cursor;
  }
  return all;
}

/**
 * Compares one user's ledger with the model. With messages still open, only that what was answered
 * is there exactly once.
 */
export async function checkLedger(
  edgeUrl: string,
  ledger: Ledger,
  faults: Faults,
): Promise<Seen> {
  const shown = await readAll<Shown>(`${edgeUrl}/v1/purchases`, ledger.token);
  const points = await expectCall<Points>(200, "GET", `${edgeUrl}/v1/points`, undefined, {
    token: ledger.token,
  });
  const byRow = new Map<number, Shown>();
  for (const item of shown) {
    const row = rowOfLabel(item.label);
    if (row === null || byRow.has(row)) {
      complain(faults, "doubled", `${item.label} of ${ledger.userId}`);
    } else byRow.set(row, item);
  }
  const expected = expectedOf(ledger.rows);
  for (const want of expected.values()) {
    // A row that was reserved may be shown under the booked row that took it over, which an open
    // message may have brought.
    const certain = ledger.complete ? want.shown : ledger.answered.has(want.row.id) &&
      want.row.versions.every(({ state }) => state !== "pending");
    if (certain && !byRow.has(want.row.id)) {
      complain(faults, "lost", `row ${want.row.id} of ${ledger.userId}`);
    }
  }
  const seen: Seen = { points, shown, ...sums(byRow, expected) };
  if (!ledger.complete) return seen;
  for (const [rowId, item] of byRow) {
    checkRow(item, expected.get(rowId), byRow, ledger.atRest, faults);
  }
  const balances = balancesOf(byRow, expected);
  if (
    points.pending !== balances.pending || points.available !== balances.available ||
    points.held !== 0
  ) {
    complain(
      faults,
      "wrong",
      `balance of ${ledger.userId}: ${points.pending} pending and ${points.available} available instead of ${balances.pending} and ${balances.available}`,
    );
  }
  return seen;
}

function checkRow(
  item: Shown,
  want: Expected | undefined,
  byRow: ReadonlyMap<number, Shown>,
  atRest: boolean,
  faults: Faults,
): void {
  if (want === undefined) return complain(faults, "wrong", `${item.label} was never sent`);
  const { points, reasons } = item.verdict;
  // Under a budget all of it, or what it had earned before the last correction, or nothing; less
  // only because the budget was used up, or has not answered.
  const earnedBefore = want.row.versions.filter(({ state }) => state === "booked").map((
    { cents },
  ) => grantOf(want.row.brand, cents));
  const denied = BRANDS[want.row.brand].budget && points < want.points &&
    [0, ...earnedBefore].includes(points) &&
    reasons.some(({ code }) =>
      code === "budget_exhausted" || (!atRest && code === "budget_reserving")
    );
  if (
    item.kind !== want.row.kind || item.state !== want.last.state ||
    item.amount_cents !== want.last.cents || (points !== want.points && !denied)
  ) {
    complain(
      faults,
      "wrong",
      `${item.label}: ${item.kind} ${item.state} ${item.amount_cents} ${points} points instead of ${want.row.kind} ${want.last.state} ${want.last.cents} ${want.points} points (${
        reasons.map(({ code }) => code).join(", ")
      })`,
    );
  }
  const of = want.refundOf === null ? null : byRow.get(want.refundOf)?.id ?? "nothing";
  if (item.refund_of !== of) {
    complain(
      faults,
      "wrong",
      `${item.label} gives back ${item.refund_of} instead of row ${want.refundOf}`,
    );
  }
}

/**
 * The balances that the model's points add up to: all pending, whatever their date, since the
 * messages are the torture's own and no read shows their rows. Under a budget the ledger's own points are taken,
 * which `checkRow` has looked at.
 */
function balancesOf(
  byRow: ReadonlyMap<number, Shown>,
  expected: ReadonlyMap<number, Expected>,
): { pending: number; available: number } {
  const balances = { pending: 0, available: 0 };
  for (const { row, points } of expected.values()) {
    balances.pending += BRANDS[row.brand].budget ? byRow.get(row.id)?.verdict.points ?? 0 : points;
  }
  return balances;
}

function sums(
  byRow: ReadonlyMap<number, Shown>,
  expected: ReadonlyMap<number, Expected>,
): Pick<Seen, "byBrand" | "exhausted" | "rewarded"> {
  const byBrand: Record<BrandName, number> = { monoprix: 0, auchan: 0, leclerc: 0 };
  let [exhausted, rewarded] = [0, 0];
  for (const [rowId, item] of byRow) {
    const want = expected.get(rowId);
    if (want !== undefined) byBrand[want.row.brand] += item.verdict.points;
    if (item.verdict.points > 0) rewarded += 1;
    if (item.verdict.reasons.some(({ code }) => code === "budget_exhausted")) exhausted += 1;
  }
  return { byBrand, exhausted, rewarded };
}

export type StatisticsLine = {
  readonly day: string;
  readonly brand_id: string | null;
  readonly offer_id: string | null;
  readonly kind: string;
  readonly purchases: number;
  readonly cents: number;
  readonly points: number;
  readonly changes: Entry["changes"];
};
export type Liability = {
  readonly confirmed: { readonly points: number };
  readonly held: { readonly points: number };
  readonly pending: { readonly points: number };
  readonly rebuilding: boolean;
};
export type Figures = { readonly liability: Liability; readonly lines: readonly StatisticsLine[] };

/** What operators see. */
export async function readFigures(edgeUrl: string, token: string): Promise<Figures> {
  return {
    liability: await expectCall<Liability>(200, "GET", `${edgeUrl}/admin/v1/liability`, undefined, {
      token,
    }),
    lines: await readAll<StatisticsLine>(`${edgeUrl}/admin/v1/statistics`, token),
  };
}

/** True when the liability is what the users' own screens add up to. */
export function liabilityEquals(
  { confirmed, held, pending, rebuilding }: Liability,
  balances: readonly Points[],
): boolean {
  const sum = (of: (points: Points) => number): number =>
    balances.reduce((total, points) => total + of(points), 0);
  return !rebuilding && pending.points === sum((each) => each.pending) &&
    confirmed.points === sum((each) => each.available + each.held) &&
    held.points === sum((each) => each.held);
}

/** Compares D1's counters with the users' entries by kind, and with the active points by offer. */
export function checkFigures(
  figures: Figures,
  seen: readonly Seen[],
  entries: readonly Entry[],
  offers: Readonly<Record<BrandName, string>>,
  faults: Faults,
): void {
  if (!liabilityEquals(figures.liability, seen.map(({ points }) => points))) {
    complain(faults, "wrong", `liability ${JSON.stringify(figures.liability)}`);
  }
  const text = (lines: readonly Pick<Entry, "kind" | "changes">[]): string => {
    const kinds = new Map<string, number[]>();
    for (const { kind, changes } of lines) {
      kinds.set(
        kind,
        [changes.pending, changes.available, changes.held].map((value, index) =>
          value + (kinds.get(kind)?.[index] ?? 0)
        ),
      );
    }
    return JSON.stringify([...kinds].sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  if (text(figures.lines) !== text(entries)) {
    complain(
      faults,
      "wrong",
      `statistics ${text(figures.lines)} instead of the entries' ${text(entries)}`,
    );
  }
  // Purchases that came to be rewarded, less those that no longer are, must be those with
  // active points.
  const net = figures.lines.reduce(
    (sum, { kind, purchases }) =>
      sum +
      (kind === "earn" ? purchases : kind === "cancel" || kind === "clawback" ? -purchases : 0),
    0,
  );
  const rewarded = seen.reduce((sum, one) => sum + one.rewarded, 0);
  if (net !== rewarded) {
    complain(faults, "wrong", `statistics count ${net} rewarded purchases instead of ${rewarded}`);
  }
  for (const brand of Object.keys(BRANDS) as BrandName[]) {
    const counted = figures.lines.filter((line) => line.offer_id === offers[brand]).reduce(
      (sum, { changes }) => sum + changes.pending + changes.available,
      0,
    );
    const active = seen.reduce((sum, { byBrand }) => sum + byBrand[brand], 0);
    if (counted !== active) {
      complain(faults, "wrong", `statistics of ${brand}: ${counted} points instead of ${active}`);
    }
  }
}
