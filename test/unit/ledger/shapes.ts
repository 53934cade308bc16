// Puts a book with a life behind it into the tables of an older release, and reports what is
// different about it once they are brought up to date. What an older shape has no column for is
// left out, as an older release would not have written it.
import {
  BUDGET_MIGRATIONS,
  budgetReserved,
  reserveBudget,
} from "../../../src/ledger/object/offer-budget.ts";
import { createEngine } from "../../../src/ledger/engine.ts";
import type { KeyedOperation } from "../../../src/ledger/ports.ts";
import { migrate, OBJECT_MIGRATIONS } from "../../../src/ledger/book/schema.ts";
import type { ObjectMigration } from "../../../src/ledger/book/schema.ts";
import type { SqlValue } from "../../../src/ledger/book/sql.ts";
import { openFileSql } from "../../../src/platform/deno/sql-storage.ts";
import type { FileSql } from "../../../src/platform/deno/sql-storage.ts";
import {
  account,
  ALL,
  at,
  CONNECTION,
  FNAC,
  offer,
  PROGRAMME,
  row,
  seededRandom,
  USER,
} from "../../contract/ledger-factories.ts";
import { openBook, TODAY, value } from "./book.ts";

export type Migratable = {
  readonly migrations: readonly ObjectMigration[];
  readonly open: (migrations: readonly ObjectMigration[]) => FileSql;
  /** Everything that a book shows and does from now on, by name. */
  readonly views: (sql: FileSql) => Readonly<Record<string, unknown>>;
};

function open(migrations: readonly ObjectMigration[]): FileSql {
  const sql = openFileSql(":memory:");
  sql.transaction(() => migrate(sql, migrations));
  return sql;
}

const LATER = "2027-12-31";

/** Reading comes first, then time passes: what is due must happen on the same day in both. */
function ledgerViews(sql: FileSql): Record<string, unknown> {
  const engine = createEngine({ sql, random: seededRandom(7), userId: USER });
  const seen: Record<string, unknown> = {};
  for (const date of [TODAY, "2026-12-20", LATER]) {
    const nowMs = at(date);
    const asked = {
      verify: engine.verify,
      points: engine.points,
      activity: engine.bankingActivity,
      activations: engine.activations,
      reviews: engine.reviews,
      waiting: engine.peekReviews,
      budgetTasks: engine.budgetTasks,
      outbox: engine.peekOutbox,
      sample: engine.peekSample,
      notices: engine.notices,
      alarm: engine.nextAlarm,
      due: engine.runDue,
    };
    for (const [name, ask] of Object.entries(asked)) {
      seen[`${name} on ${date}`] = value<unknown>(ask(null, nowMs));
    }
    seen[`purchases on ${date}`] = value(engine.purchases(ALL, nowMs)).items;
    seen[`entries on ${date}`] = value(engine.entries({ limit: 1000, before: null }, nowMs)).items;
    const pages: unknown[] = [];
    for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
      const page: ReturnType<typeof engine.exportPage> = engine.exportPage(cursor, nowMs);
      pages.push(value(page));
      cursor = value(page).next;
    }
    seen[`export on ${date}`] = pages;
    seen[`leaf on ${date}`] = engine.leaf();
    for (const [key, operation] of KEYS) {
      seen[`${key} again on ${date}`] = engine.operate({ key, operation }, nowMs);
    }
  }
  return seen;
}

const hold = (redemptionId: string, points: number): KeyedOperation => ({
  kind: "hold",
  redemptionId,
  points,
  expiresAtMs: at("2026-12-01"),
});
const KEYS: readonly (readonly [string, KeyedOperation])[] = [
  ["h1", hold("red_open", 50)],
  ["h2", hold("red_committed", 20)],
  ["c2", { kind: "commit", redemptionId: "red_committed" }],
  ["h3", hold("red_settled", 10)],
  ["c3", { kind: "commit", redemptionId: "red_settled" }],
  ["s3", { kind: "settle", redemptionId: "red_settled" }],
  ["g", { kind: "goodwill", points: 30, reference: "claim", programme: PROGRAMME }],
  ["f", {
    kind: "referral",
    points: 300,
    reference: "friend",
    programme: PROGRAMME,
    confirmAtMs: at("2026-12-10"),
  }],
  ["too much", hold("red_much", 1_000_000)],
];

/**
 * Earned, pending, confirmed, refunded in part and in whole, held, expired, duplicate, deleted,
 * closed; holds of every state; a budget granted and one asked.
 */
export function livedBook(): FileSql {
  const book = openBook();
  const announce = (date: string): void => {
    for (const task of value(book.engine.notices(null, at(date)))) {
      value(book.engine.noticeSent(task, at(date)));
    }
  };
  const brief = { programme: { ...PROGRAMME, pointsExpireMonths: 2 } };
  book.record(
    [
      row("expires", { purchasedOn: "2026-03-01" }),
      row("announced", { purchasedOn: "2026-09-12", amountCents: 40_000 }),
    ],
    "2026-09-13",
    { ...brief, syncedAtMs: at("2026-09-13") },
  );
  for (const date of ["2026-09-14", "2026-09-19"]) announce(date);
  book.record([
    row("a", { purchasedOn: "2026-09-01" }),
    row("b", { purchasedOn: "2026-09-02", amountCents: 10_000 }),
    row("c", { purchasedOn: "2026-09-03", amountCents: 5000 }),
    row("d", { purchasedOn: "2026-09-04", amountCents: 700 }),
  ], "2026-09-20");
  book.record([
    row("rb", { kind: "refund", amountCents: 2500, purchasedOn: "2026-10-10" }),
    row("rc", { kind: "refund", amountCents: 5000, purchasedOn: "2026-10-11" }),
    row("lost", { kind: "refund", amountCents: 77_777, purchasedOn: "2026-10-12" }),
  ], "2026-10-20");
  book.record([
    row("d", { purchasedOn: "2026-09-04", amountCents: 700, state: "deleted", lastUpdateMs: 2000 }),
  ], "2026-10-21");
  for (const [key, operation] of KEYS) book.operate(key, operation, "2026-11-01");
  value(book.engine.ackOutbox(4, at("2026-11-01")));
  value(
    book.engine.activate(
      { offerId: "off_1", version: 1, activationDays: 30, offerEndsAtMs: null },
      at("2026-11-02"),
    ),
  );
  book.record([
    row("pending", {
      state: "pending",
      bookedOn: null,
      amountCents: 4321,
      brand: null,
      labelTag: "hotel",
    }),
    row("late", { state: "pending", bookedOn: null, purchasedOn: "2026-10-25", amountCents: 123 }),
    row("new"),
    row("held", { review: "amount_precision" }),
    row("none", { brand: null }),
  ]);
  book.record([row("again", { accountId: "acc_2" })], TODAY, {
    accounts: [account(), account("acc_2", { createdAtMs: at("2026-11-13") })],
    syncedAtMs: at(TODAY),
  });
  book.record([], TODAY, {
    read: {
      startedAtMs: at(TODAY),
      knownOnly: false,
      complete: { fromDay: TODAY, accountIds: [], externalIds: [] },
    },
  });
  const fnac = { id: FNAC, matched: "FNAC" };
  const limited = {
    connectionId: CONNECTION,
    offers: [offer({ offerId: "off_b", brandId: FNAC, budgetPoints: 1000 })],
  };
  book.record([row("budget", { brand: fnac })], TODAY, limited);
  for (const task of value(book.engine.budgetTasks(null, at(TODAY)))) {
    value(book.engine.budgetGranted(task, at(TODAY)));
  }
  book.record([row("asked", { brand: fnac, amountCents: 900 })], TODAY, limited);
  announce(TODAY);
  // D1 knows it all: what an older shape cannot hold (changes of rows that were projected) is not
  // on its way.
  for (
    let batch = value(book.engine.peekSample(null, at(TODAY)));
    batch !== null;
    batch = value(book.engine.peekSample(null, at(TODAY)))
  ) value(book.engine.ackSample(batch.mark, at(TODAY)));
  return book.sql;
}

export const LEDGER: Migratable = { migrations: OBJECT_MIGRATIONS, open, views: ledgerViews };

export function budgetBook(): FileSql {
  const sql = open(BUDGET_MIGRATIONS);
  for (
    const [key, points] of [["pur_1", 60], ["pur_2", 30], ["pur_2:7", 5], ["pur_1", 20]] as const
  ) reserveBudget(sql, { key, points, budgetPoints: 100 });
  return sql;
}

export const BUDGET: Migratable = {
  migrations: BUDGET_MIGRATIONS,
  open,
  views: (sql) => ({
    reserved: budgetReserved(sql),
    denied: reserveBudget(sql, { key: "pur_3", points: 46, budgetPoints: 100 }),
    fits: reserveBudget(sql, { key: "pur_3", points: 45, budgetPoints: 100 }),
    more: reserveBudget(sql, { key: "pur_2:7", points: 6, budgetPoints: 100 }),
    back: ["pur_1", "pur_2", "pur_2:7", "pur_3"].map((key) =>
      reserveBudget(sql, { key, points: 0, budgetPoints: 100 })
    ),
  }),
};

const columnsOf = (sql: FileSql, table: string): string[] =>
  sql.exec(`SELECT name FROM pragma_table_info('${table}')`).map((column) =>
    String(column["name"])
  );

/** The book in the tables as they were after so many migrations. */
function inOlderShape(
  { migrations, open: openShape }: Migratable,
  book: FileSql,
  steps: number,
): FileSql {
  const older = openShape(migrations.slice(0, steps));
  const tables = older.exec(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'object_migrations'",
  ).map((table) => String(table["name"]));
  for (const table of tables) {
    const known = new Set(columnsOf(book, table));
    const columns = columnsOf(older, table).filter((column) => known.has(column));
    older.exec(`DELETE FROM ${table}`);
    for (const found of book.exec(`SELECT ${columns.join(", ")} FROM ${table}`)) {
      older.exec(
        `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${
          columns.map(() => "?").join(", ")
        })`,
        ...columns.map((column): SqlValue => found[column] ?? null),
      );
    }
  }
  return older;
}

/**
 * The names of all that a book shows or does otherwise after it came from an older shape through
 * these migrations.
 */
export function differences(
  kind: Migratable,
  book: FileSql,
  steps: number,
  migrations: readonly ObjectMigration[],
): string[] {
  const older = inOlderShape(kind, book, steps);
  older.transaction(() => migrate(older, migrations));
  const before = kind.views(book);
  let after: Readonly<Record<string, unknown>>;
  try {
    after = kind.views(older);
  } catch (error) {
    return [`refuses: ${String(error)}`];
  }
  return Object.keys(before).filter((name) =>
    JSON.stringify(after[name]) !== JSON.stringify(before[name])
  );
}
