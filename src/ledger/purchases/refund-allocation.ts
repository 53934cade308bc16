// Which purchases a refund belongs to, and how much of each it takes (the project's design, section
// 4, "Refund"). A pure function of the set of rows, so every order of deliveries ends alike.
import { addDays } from "../../kernel/time.ts";

/** A refund looks for its purchases this many days back. */
export const REFUND_DAYS_MAX = 90;
/**
 * A refund may be larger than what is left of the purchases by so much: postage that was never a
 * purchase, or another exchange rate. The larger of the two decides.
 */
const EXCESS_CENTS_MAX = 1_000;
const EXCESS_PERCENT_MAX = 15;

/** A purchase or refund of one brand, as far as the allocation looks at it. */
export type RefundRow = {
  readonly n: number;
  /** The bank account that it is on, whichever of its listings showed the row. */
  readonly account: string;
  readonly date: string;
  /** Always positive, in `currency`. */
  readonly cents: number;
  readonly currency: string;
  /** What was paid abroad, if the bank said so. */
  readonly original: { readonly amountCents: number; readonly currency: string } | null;
  /** Keyed hash of the label: breaks ties the same way in every order of arrival. */
  readonly labelTag: string;
  readonly externalId: string;
};

/** So many cents of one purchase are given back by one refund. */
export type RefundPart = { readonly purchase: number; readonly cents: number };

type Candidate = { readonly row: RefundRow; readonly left: number };

/**
 * The parts of each refund that finds a purchase, by the refund's number. `purchases` and `refunds`
 * are those of one brand in one family of accounts. A refund without an entry is of a purchase that
 * we do not know. No purchase is given back more than it cost.
 */
export function allocateRefunds(
  purchases: readonly RefundRow[],
  refunds: readonly RefundRow[],
): Map<number, readonly RefundPart[]> {
  const left = new Map(purchases.map((purchase) => [purchase.n, purchase.cents]));
  const allocated = new Map<number, readonly RefundPart[]>();
  for (const refund of [...refunds].sort(inOrderOfRefunds)) {
    const candidates = purchases.filter((purchase) => isWithinReach(purchase, refund)).sort(
      nearestFirst(refund),
    ).map((row): Candidate => ({ row, left: left.get(row.n) ?? 0 })).filter((each) =>
      each.left > 0
    );
    const parts = partsOf(refund, candidates);
    if (parts === null) continue;
    for (const { purchase, cents } of parts) left.set(purchase, (left.get(purchase) ?? 0) - cents);
    allocated.set(refund.n, parts);
  }
  return allocated;
}

/** The first rule that finds a purchase decides. */
function partsOf(
  refund: RefundRow,
  candidates: readonly Candidate[],
): readonly RefundPart[] | null {
  const whole = candidates.find((each) => each.left === refund.cents) ??
    candidates.find(({ row }) => hasSameOriginal(row, refund));
  if (whole !== undefined) return [{ purchase: whole.row.n, cents: whole.left }];
  const larger = closestOfItsDay(candidates.filter((each) => each.left > refund.cents));
  if (larger !== undefined) return [{ purchase: larger.row.n, cents: refund.cents }];
  return partsOfSeveral(refund, candidates);
}

/** Newest first over several purchases: split shipments, instalments, postage, exchange rates. */
function partsOfSeveral(
  refund: RefundRow,
  candidates: readonly Candidate[],
): readonly RefundPart[] | null {
  const together = candidates.reduce((sum, each) => sum + each.left, 0);
  const excessMax = Math.max(
    EXCESS_CENTS_MAX,
    Math.floor(refund.cents * EXCESS_PERCENT_MAX / 100),
  );
  if (together === 0 || refund.cents - together > excessMax) return null;
  const parts: RefundPart[] = [];
  let missing = refund.cents;
  for (const { row, left } of candidates) {
    if (missing === 0) break;
    const cents = Math.min(left, missing);
    parts.push({ purchase: row.n, cents });
    missing -= cents;
  }
  return parts;
}

/**
 * Of several purchases of one account and day, the one that the refund fits most closely: the whole
 * of it rather than a part of a larger one.
 */
function closestOfItsDay(candidates: readonly Candidate[]): Candidate | undefined {
  const [first] = candidates;
  if (first === undefined) return undefined;
  return candidates.filter(({ row }) =>
    row.date === first.row.date && row.account === first.row.account
  ).reduce((best, each) => (each.left < best.left ? each : best), first);
}

function isWithinReach(purchase: RefundRow, refund: RefundRow): boolean {
  return purchase.currency === refund.currency && purchase.date <= refund.date &&
    purchase.date >= addDays(refund.date, -REFUND_DAYS_MAX);
}

/** The rate of the day moves the euros of a purchase abroad; what was paid there stays the same. */
function hasSameOriginal(purchase: RefundRow, refund: RefundRow): boolean {
  return purchase.original !== null && refund.original !== null &&
    purchase.original.currency === refund.original.currency &&
    purchase.original.amountCents === refund.original.amountCents;
}

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const compareKeys = (a: RefundRow, b: RefundRow): number =>
  compareTexts(a.labelTag, b.labelTag) || compareTexts(a.externalId, b.externalId) || a.n - b.n;

/** By day, the larger first, then label. */
function inOrderOfRefunds(a: RefundRow, b: RefundRow): number {
  return compareTexts(a.date, b.date) || b.cents - a.cents || compareKeys(a, b);
}

/** The refund's own account before the others of its family, then the newest. */
function nearestFirst(refund: RefundRow): (a: RefundRow, b: RefundRow) => number {
  return (a, b) =>
    Number(a.account !== refund.account) - Number(b.account !== refund.account) ||
    compareTexts(b.date, a.date) || compareKeys(a, b);
}
