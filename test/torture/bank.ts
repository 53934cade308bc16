// The bank of the torture: an endless, seeded stream of what happens on one user's account. What
// the n-th message holds depends on the seed and the user alone, never on what was answered
// meanwhile, so a seed sends the same rows again (kills fall where they fall).
import type { Rng } from "../simulation/random.ts";
import { BRANDS, lastOf } from "./model.ts";
import type { BrandName, Row, Version } from "./model.ts";

type OpenRow = Omit<Row, "versions"> & {
  readonly versions: Version[];
  /** Given back whole: the bank touches it no more. */
  settled: boolean;
};
/** One row as one message shows it; `of` is the purchase that a refund was made for. */
export type Line = { readonly row: Row; readonly version: Version; readonly of?: Row };
export type Message = {
  readonly lines: readonly Line[];
  /**
   * Rows whose earlier messages must be known first: under a budget a refund that guesses would
   * move what it gives back.
   */
  readonly after: ReadonlySet<number>;
};
export type Bank = { readonly next: () => Message; readonly rows: readonly Row[] };
type Happening = keyof typeof WEIGHTS;

const WEIGHTS = {
  buy: 48,
  reserve: 8,
  book: 5,
  rebook: 4,
  amend: 7,
  withdraw: 5,
  refundPart: 8,
  refundWhole: 7,
  refundTakenBack: 2,
};
const BRAND_WEIGHTS: Readonly<Record<BrandName, number>> = { monoprix: 4, auchan: 3, leclerc: 3 };

/** `index` numbers the user; `days` are those on which rows may be dated, oldest first. */
export function openBank(rng: Rng, index: number, days: readonly string[]): Bank {
  const rows: OpenRow[] = [];
  // Every other account knows no pending rows: without any, the ledger takes a shorter way.
  const weights = index % 2 === 0 ? WEIGHTS : { ...WEIGHTS, reserve: 0 };
  let nextCents = 1000;
  let update = 0;
  const amount = (): number => nextCents++;
  const recent = (fits: (row: OpenRow) => boolean): OpenRow | null => {
    const found = rows.slice(-60).filter((row) => !row.settled && fits(row));
    return found.length === 0 ? null : rng.pick(found);
  };
  const open = (brand: BrandName, kind: Row["kind"], date: string): OpenRow => {
    const row: OpenRow = {
      id: FIRST_ROW + index * 1_000_000 + rows.length,
      brand,
      kind,
      date,
      versions: [],
      settled: false,
    };
    rows.push(row);
    return row;
  };
  const say = (
    row: OpenRow,
    state: Version["state"],
    cents = row.versions.length === 0 ? amount() : lastOf(row).cents,
  ): Line[] => {
    const version: Version = { cents, state, update: ++update };
    row.versions.push(version);
    return [{ row, version }];
  };
  const is = (row: OpenRow, kind: Row["kind"], state: Version["state"]): boolean =>
    row.kind === kind && lastOf(row).state === state;
  const bought = (row: OpenRow): boolean => is(row, "purchase", "booked");
  const refund = (row: OpenRow | null, whole: boolean): Line[] => {
    if (row === null) return [];
    const { cents } = lastOf(row);
    if (whole) row.settled = true;
    const date = whole ? row.date : rng.pick(days.filter((day) => day >= row.date));
    return say(open(row.brand, "refund", date), "booked", whole ? cents : rng.int(1, cents - 1))
      .map((line) => ({ ...line, of: row }));
  };
  const happenings: Readonly<Record<Happening, () => Line[]>> = {
    buy: () => say(open(rng.weighted(BRAND_WEIGHTS), "purchase", rng.pick(days)), "booked"),
    reserve: () => say(open(rng.weighted(BRAND_WEIGHTS), "purchase", rng.pick(days)), "pending"),
    book: () =>
      changed(
        recent((row) => is(row, "purchase", "pending")),
        (row) => say(row, "booked", rng.chance(0.5) ? amount() : lastOf(row).cents),
      ),
    // As at a fuel pump: another id, another amount; the reserved row goes in the same message,
    // later, or never.
    rebook: () =>
      changed(recent((row) => is(row, "purchase", "pending")), (row) => {
        const gone = rng.chance(0.3) ? say(row, "deleted") : [];
        return [
          ...gone,
          ...say(
            open(row.brand, "purchase", row.date),
            "booked",
            rng.chance(0.5) ? amount() : lastOf(row).cents,
          ),
        ];
      }),
    amend: () => changed(recent(bought), (row) => say(row, "booked", amount())),
    withdraw: () =>
      changed(
        recent((row) => row.kind === "purchase" && lastOf(row).state !== "deleted"),
        (row) => say(row, "deleted"),
      ),
    // A part is given back where no budget is concerned: it may move from one purchase to a closer
    // one.
    refundPart: () => refund(recent((row) => bought(row) && !BRANDS[row.brand].budget), false),
    refundWhole: () => refund(recent(bought), true),
    refundTakenBack: () =>
      changed(
        recent((row) => is(row, "refund", "booked") && !BRANDS[row.brand].budget),
        (row) => say(row, "deleted"),
      ),
  };
  return {
    rows,
    next() {
      const lines: Line[] = [];
      for (let left = rng.int(1, 5); left > 0 || lines.length === 0; left--) {
        lines.push(...happenings[rng.weighted(weights)]());
      }
      return {
        lines,
        after: new Set(
          lines.flatMap(({ of }) => (of !== undefined && BRANDS[of.brand].budget ? [of.id] : [])),
        ),
      };
    },
  };
}

function changed(row: OpenRow | null, change: (row: OpenRow) => Line[]): Line[] {
  return row === null ? [] : change(row);
}

// Without vowels no number spells a brand; without digits each label keeps a text of its own when
// digits are left out.
const LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
const LETTERS_OF_A_ROW = 7;
const FIRST_ROW = 900_000_000;

/** The text that a bank prints of a row: the brand, and the row's number to know it again by. */
export function labelOf(row: Row): string {
  let text = "";
  for (
    let left = row.id - FIRST_ROW;
    text.length < LETTERS_OF_A_ROW;
    left = Math.floor(left / LETTERS.length)
  ) text = (LETTERS[left % LETTERS.length] ?? "") + text;
  return `CB ${BRANDS[row.brand].label} 75011 REF ${text}`;
}

/** The number of the row that a label carries, or null. */
export function rowOfLabel(label: string): number | null {
  const text = /REF ([B-Z]{7})$/.exec(label)?.[1];
  if (text === undefined) return null;
  let number = 0;
  for (let place = 0; place < text.length; place++) {
    number = number * LETTERS.length + LETTERS.indexOf(text.charAt(place));
  }
  return number + FIRST_ROW;
}
