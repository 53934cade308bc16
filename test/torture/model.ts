// What users must see once a set of bank rows has been delivered, whatever the order and however
// often the edge died meanwhile. Written from DESIGN.md section 4 and from nothing of src/: the
// torture compares the ledgers with this, not with what they say of themselves.

export type BrandName = "monoprix" | "auchan" | "leclerc";
export type Brand = {
  /** As the catalogue has it, and as banks write it. */
  readonly name: string;
  readonly label: string;
  readonly rateBp: number;
  readonly confirmationDays: number;
  /** Its offer has a budget, so which purchases earn hangs on who came first. */
  readonly budget: boolean;
};

/**
 * Points that stay pending, points that are confirmed at once and can only be clawed back, points
 * under a budget.
 */
export const BRANDS: Readonly<Record<BrandName, Brand>> = {
  monoprix: {
    name: "Monoprix",
    label: "MONOPRIX",
    rateBp: 300,
    confirmationDays: 30,
    budget: false,
  },
  auchan: { name: "Auchan", label: "AUCHAN", rateBp: 400, confirmationDays: 1, budget: false },
  leclerc: { name: "E.Leclerc", label: "LECLERC", rateBp: 500, confirmationDays: 30, budget: true },
};

/**
 * One thing that the bank said of a row; `update` counts up within a user, as `last_update` does.
 */
export type Version = {
  readonly cents: number;
  readonly state: "pending" | "booked" | "deleted";
  readonly update: number;
};
export type Row = {
  readonly id: number;
  readonly brand: BrandName;
  readonly kind: "purchase" | "refund";
  readonly date: string;
  readonly versions: readonly Version[];
};

export type Expected = {
  readonly row: Row;
  readonly last: Version;
  /**
   * False for a pending row that a booked one took over, and for a deleted one, which may be shown
   * or not.
   */
  readonly shown: boolean;
  /** Its active points; under a budget those if the budget granted them. Refunds have none. */
  readonly points: number;
  /** The row of the first purchase that a refund gives back, or null. */
  readonly refundOf: number | null;
};

const DAY_MS = 86_400_000;
const TAKEOVER_DAYS = 10;

/** A calendar day so many days later. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
}

const daysApart = (a: string, b: string): number =>
  Math.abs(Date.parse(a) - Date.parse(b)) / DAY_MS;

/**
 * What the offer gives for an amount: at 100 points to the euro a basis point of a cent is a ten
 * thousandth of a point.
 */
export function grantOf(brand: BrandName, cents: number): number {
  return Math.floor((cents * BRANDS[brand].rateBp) / 10_000);
}

/** The version that holds: the bank's newest. */
export function lastOf(row: Row): Version {
  return row.versions.reduce((
    newest,
    version,
  ) => (version.update > newest.update ? version : newest));
}

/** So many cents of a purchase's row are given back. */
type Taken = { readonly rowId: number; readonly cents: number };
type Live = { readonly row: Row; readonly last: Version };

/**
 * Rule (e): which pending rows a booked one of the same brand took over, the most alike first. A
 * row books itself under its own id.
 */
export function takenOver(live: readonly Live[]): Set<number> {
  const pairs = live.filter(({ last }) => last.state === "pending").flatMap((pending) =>
    live.filter(({ row, last }) =>
      last.state === "booked" && row.brand === pending.row.brand && row.kind === pending.row.kind &&
      last.update >= pending.last.update &&
      row.versions.every(({ state }) => state !== "pending") &&
      daysApart(row.date, pending.row.date) <= TAKEOVER_DAYS
    )
      .map((booked) => ({ pending, booked }))
  );
  // Labels all differ, since each carries its row's number: they break no tie.
  const rank = (
    { pending, booked }: (typeof pairs)[number],
  ): (number | string)[] => [
    Number(pending.last.cents !== booked.last.cents),
    daysApart(pending.row.date, booked.row.date),
    pending.row.date,
    booked.row.date,
    pending.row.id,
    booked.row.id,
  ];
  pairs.sort((a, b) => compare(rank(a), rank(b)));
  const gone = new Set<number>();
  const used = new Set<number>();
  for (const { pending, booked } of pairs) {
    if (gone.has(pending.row.id) || used.has(booked.row.id)) continue;
    gone.add(pending.row.id);
    used.add(booked.row.id);
  }
  return gone;
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

/** What each refund gives back of which rows: days in order, larger first. */
export function refundsOf(
  purchases: readonly Live[],
  refunds: readonly Live[],
): Map<number, readonly Taken[]> {
  const left = new Map(purchases.map(({ row, last }) => [row.id, last.cents]));
  const room = ({ row }: Live): number => left.get(row.id) ?? 0;
  const found = new Map<number, readonly Taken[]>();
  for (
    const refund of [...refunds].sort((a, b) =>
      compare([a.row.date, -a.last.cents, a.row.id], [b.row.date, -b.last.cents, b.row.id])
    )
  ) {
    const before = purchases.filter((each) =>
      each.row.brand === refund.row.brand && each.row.date <= refund.row.date && room(each) > 0
    )
      .sort((a, b) =>
        compare([-Date.parse(a.row.date), a.row.id], [-Date.parse(b.row.date), b.row.id])
      )
      .map(({ row }) => ({ rowId: row.id, date: row.date, cents: left.get(row.id) ?? 0 }));
    const taken = takenOf(refund.last.cents, before);
    for (const { rowId, cents } of taken) left.set(rowId, (left.get(rowId) ?? 0) - cents);
    if (taken.length > 0) found.set(refund.row.id, taken);
  }
  return found;
}

/**
 * The purchase of just that amount; else a part of the newest larger one, the closest of its day;
 * else the newest ones together, of which 10 euros or 15 % may be missing.
 */
function takenOf(
  cents: number,
  newestFirst: readonly (Taken & { readonly date: string })[],
): readonly Taken[] {
  const same = newestFirst.find((each) => each.cents === cents);
  if (same !== undefined) return [{ rowId: same.rowId, cents }];
  const larger = newestFirst.filter((each) => each.cents > cents);
  const [closest] = larger.filter(({ date }) => date === larger[0]?.date).sort((a, b) =>
    compare([a.cents, a.rowId], [b.cents, b.rowId])
  );
  if (closest !== undefined) return [{ rowId: closest.rowId, cents }];
  const all = newestFirst.reduce((sum, each) => sum + each.cents, 0);
  if (all === 0 || cents - all > Math.max(1000, (cents * 15) / 100)) return [];
  let missing = cents;
  return newestFirst.flatMap(({ rowId, cents: room }) => {
    const part = Math.min(room, missing);
    missing -= part;
    return part === 0 ? [] : [{ rowId, cents: part }];
  });
}

/**
 * What must be seen of one user's rows, all on one account, once every version has been delivered.
 */
export function expectedOf(rows: readonly Row[]): Map<number, Expected> {
  const all = rows.map((row) => ({ row, last: lastOf(row) }));
  const live = all.filter(({ last }) => last.state !== "deleted");
  const gone = takenOver(live);
  const booked = live.filter(({ last }) => last.state === "booked");
  const matches = refundsOf(
    booked.filter(({ row }) => row.kind === "purchase"),
    booked.filter(({ row }) => row.kind === "refund"),
  );
  const given = new Map<number, number>();
  for (const { rowId, cents } of [...matches.values()].flat()) {
    given.set(rowId, (given.get(rowId) ?? 0) + cents);
  }
  return new Map(all.map(({ row, last }) => {
    const earns = row.kind === "purchase" && last.state === "booked";
    const leftCents = earns ? last.cents - (given.get(row.id) ?? 0) : 0;
    const points = Math.floor((grantOf(row.brand, last.cents) * leftCents) / last.cents);
    return [row.id, {
      row,
      last,
      shown: last.state !== "deleted" && !gone.has(row.id),
      points,
      refundOf: matches.get(row.id)?.[0]?.rowId ?? null,
    }];
  }));
}
