// D1's tables as raw rows, in an order in which every reference finds its row. The loading of a
// page and the note that it was loaded are one batch; the note is only written when every row of
// the page is there with the archive's values.
import type { SqlDatabase, SqlStatement } from "../db/d1.ts";
import { guarded } from "../db/database.ts";
import {
  countPresentSql,
  insertPageSql,
  keyOfRow,
  readPageSql,
  SHAPE_SQL,
  shapeOf,
} from "../kernel/table-copy.ts";
import type { RawRow, RawValue, TableShape } from "../kernel/table-copy.ts";
import type { ImportState } from "./ports.ts";

type Rule = {
  readonly table: string;
  /** Rows of other runtimes' own making: left where they are. */
  readonly only?: string;
  /** One row that every database is born with: overwritten instead of inserted. */
  readonly single?: true;
  /** May hold rows before an import, and more rows than the archive after it. */
  readonly shared?: true;
  /** Columns that must agree; all when absent. */
  readonly compared?: readonly string[];
};

const STATE = "transfer_import";
const RULES: readonly Rule[] = [
  { table: "settings", only: `name <> '${STATE}'`, shared: true, compared: ["name", "value"] },
  { table: "brands" },
  { table: "alias_changes" },
  { table: "offers" },
  { table: "offer_versions" },
  { table: "offer_stops" },
  { table: "offer_budgets" },
  { table: "recognition_corrections" },
  { table: "correction_changes" },
  { table: "catalogue_state", single: true },
  { table: "halts" },
  { table: "users" },
  { table: "sessions" },
  { table: "known_devices" },
  { table: "passkeys" },
  { table: "email_changes" },
  { table: "consents" },
  { table: "identity_links" },
  { table: "ledger_heads" },
  { table: "counters" },
  { table: "closed_counters" },
  { table: "aggregator_links" },
  { table: "token_renewals" },
  { table: "token_renewal_links" },
  { table: "bank_connections" },
  { table: "connection_intents" },
  { table: "bank_accounts" },
  { table: "bank_gaps" },
  { table: "earning_transfers" },
  // A note is also made where an account arrives before that of the holder who earns.
  { table: "earning_handovers", shared: true, compared: ["fingerprint"] },
  { table: "age_reviews" },
  { table: "user_notices" },
  { table: "purchase_sample" },
  { table: "purchase_sample_state", single: true },
  { table: "reviews" },
  { table: "quarantine", shared: true },
  // Last: every call of an export or import adds a row of its own.
  { table: "audit_events", shared: true },
];

/**
 * What is not moved: answers kept for a repeat, sign-in codes of ten minutes, and the marks of
 * periodic work, which starts again.
 */
export const LEFT_BEHIND: readonly string[] = [
  "idempotency_keys",
  "one_time_codes",
  "code_tries",
  // Of five minutes.
  "answered_challenges",
  // Emptied by 0016_sign_in_challenges.sql; later ones took their place.
  "auth_codes",
  "auth_tries",
  "notices",
  "projection_work",
  "d1_migrations",
];
export const MOVED: readonly string[] = RULES.map(({ table }) => table);
export const PAGE_ROWS = 200;

export type TransferStore = {
  readonly page: (
    table: string,
    after: readonly RawValue[] | null,
  ) => Promise<
    {
      readonly columns: readonly string[];
      readonly rows: readonly RawRow[];
      readonly after: readonly RawValue[] | null;
    }
  >;
  /** Rows of every table that must be equal on both sides. */
  readonly counts: () => Promise<Readonly<Record<string, number>>>;
  readonly migrations: () => Promise<readonly string[]>;
  /** Ids of budgets or ledgers after one, in order. */
  readonly ids: (
    kind: "budget" | "ledger",
    after: string,
    limit: number,
  ) => Promise<readonly string[]>;
  readonly isEmpty: () => Promise<boolean>;
  readonly state: () => Promise<ImportState | null>;
  /** False when an import was begun meanwhile. */
  readonly begin: (archive: string, nowMs: number) => Promise<boolean>;
  /**
   * Loads a page and moves on by a line. False when a row is there with other values, or the line
   * is not expected.
   */
  readonly load: (
    line: number,
    table: string,
    columns: readonly string[],
    rows: readonly RawRow[],
  ) => Promise<boolean>;
  readonly advance: (line: number) => Promise<boolean>;
  /** Notes the last line and that everything is here, in one write. */
  readonly finish: (line: number) => Promise<boolean>;
  readonly open: (after: string, state: "opening" | "done") => Promise<void>;
};

export function transferStore(database: SqlDatabase): TransferStore {
  const tables = tableShapes(database);
  return { ...readings(database, tables), ...progress(database), ...loading(database, tables) };
}

type Row = Record<string, RawValue>;
type ShapeOf = (table: string) => Promise<TableShape>;

function readRows(database: SqlDatabase, sql: string, ...values: RawValue[]): Promise<Row[]> {
  return guarded(async () => (await database.prepare(sql).bind(...values).all<Row>()).results);
}

/** Reads the columns and keys of each table once. */
function tableShapes(database: SqlDatabase): ShapeOf {
  const shapes = new Map<string, TableShape>();
  return async (table) => {
    const shape = shapes.get(table) ?? shapeOf(table, await readRows(database, SHAPE_SQL, table));
    shapes.set(table, shape);
    return shape;
  };
}

function ruleOf(table: string): Rule | undefined {
  return RULES.find((rule) => rule.table === table);
}

type Readings = Pick<TransferStore, "page" | "counts" | "migrations" | "ids" | "isEmpty">;

function readings(database: SqlDatabase, shapeFor: ShapeOf): Readings {
  return {
    async page(table, after) {
      const shape = await shapeFor(table);
      const rows = await readRows(
        database,
        readPageSql(shape, after !== null, ruleOf(table)?.only),
        ...(after ?? []),
        PAGE_ROWS,
      );
      const raw = rows.map((row) => shape.columns.map((column) => row[column] ?? null));
      const last = raw.at(-1);
      return {
        columns: shape.columns,
        rows: raw,
        after: last === undefined || raw.length < PAGE_ROWS ? null : keyOfRow(shape, last),
      };
    },
    async counts() {
      const counted = RULES.filter((rule) => rule.shared !== true);
      const found = await guarded(() =>
        database.batch<{ n: number }>(
          counted.map(({ table }) => database.prepare(`SELECT COUNT(*) AS n FROM "${table}"`)),
        )
      );
      return Object.fromEntries(
        counted.map(({ table }, index) => [table, found[index]?.results[0]?.n ?? 0]),
      );
    },
    migrations: async () =>
      (await readRows(database, "SELECT name FROM d1_migrations ORDER BY name")).map((row) =>
        String(row["name"])
      ),
    ids: async (kind, after, limit) =>
      (await readRows(
        database,
        kind === "budget"
          ? "SELECT DISTINCT offer_id AS id FROM offer_versions WHERE json_extract(terms, '$.budgetPoints') IS NOT NULL AND offer_id > ? ORDER BY offer_id LIMIT ?"
          : "SELECT id FROM (SELECT id FROM users UNION SELECT user_id FROM ledger_heads) WHERE id > ? ORDER BY id LIMIT ?",
        after,
        limit,
      )).map((row) => String(row["id"])),
    async isEmpty() {
      const must = RULES.filter((rule) => rule.shared !== true && rule.single !== true);
      const rows = await readRows(
        database,
        `SELECT ${must.map(({ table }) => `EXISTS (SELECT 1 FROM "${table}")`).join(" + ")} AS n`,
      );
      return rows[0]?.["n"] === 0;
    },
  };
}

type Progress = Pick<TransferStore, "state" | "begin" | "advance" | "finish" | "open">;

function progress(database: SqlDatabase): Progress {
  return {
    async state() {
      const row = (await readRows(database, "SELECT value FROM settings WHERE name = ?", STATE))[0];
      return row === undefined ? null : (JSON.parse(String(row["value"])) as ImportState);
    },
    async begin(archive, nowMs) {
      const state: ImportState = { archive, next: 1, state: "loading", after: "" };
      const done = await guarded(() =>
        database.prepare(
          "INSERT INTO settings (name, value, set_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        ).bind(STATE, JSON.stringify(state), nowMs).run()
      );
      return done.meta.changes > 0;
    },
    advance: async (line) =>
      (await guarded(() => advanced(database, line, "1").run())).meta.changes > 0,
    finish: async (line) =>
      (await guarded(() =>
        database.prepare(
          `UPDATE settings SET value = json_set(value, '$.next', ?, '$.state', 'opening') WHERE name = '${STATE}' AND json_extract(value, '$.next') = ? AND json_extract(value, '$.state') = 'loading'`,
        ).bind(line + 1, line).run()
      )).meta.changes > 0,
    open: async (after, state) =>
      void (await guarded(() =>
        database.prepare(
          `UPDATE settings SET value = json_set(value, '$.after', ?, '$.state', ?) WHERE name = '${STATE}'`,
        ).bind(after, state).run()
      )),
  };
}

function loading(database: SqlDatabase, shapeFor: ShapeOf): Pick<TransferStore, "load"> {
  return {
    async load(line, table, columns, rows) {
      const rule = ruleOf(table);
      const shape = await shapeFor(table);
      if (rule === undefined || JSON.stringify(shape.columns) !== JSON.stringify(columns)) {
        return false;
      }
      const json = JSON.stringify(rows);
      const writes = rule.single === true
        ? rows.map((row) => overwritten(database, shape, row))
        : [database.prepare(insertPageSql(shape)).bind(json)];
      const results = await guarded(() =>
        database.batch([
          ...writes,
          advanced(
            database,
            line,
            `(${countPresentSql(shape, rule.compared)}) = ?`,
            json,
            rows.length,
          ),
        ])
      );
      return (results.at(-1)?.meta.changes ?? 0) > 0;
    },
  };
}

/** Moves on by a line when it is the expected one and the condition holds. */
function advanced(
  database: SqlDatabase,
  line: number,
  condition: string,
  ...values: RawValue[]
): SqlStatement {
  return database.prepare(
    `UPDATE settings SET value = json_set(value, '$.next', ?) WHERE name = '${STATE}' AND json_extract(value, '$.next') = ? AND json_extract(value, '$.state') = 'loading' AND ${condition}`,
  )
    .bind(line + 1, line, ...values);
}

// Only when it differs: a trigger refuses a version that does not grow.
function overwritten(database: SqlDatabase, shape: TableShape, row: RawRow): SqlStatement {
  const others = shape.columns.filter((column) => !shape.keys.includes(column));
  const valueOf = (column: string): RawValue => row[shape.columns.indexOf(column)] ?? null;
  const sql = `UPDATE "${shape.table}" SET ${
    others.map((column) => `"${column}" = ?`).join(", ")
  } WHERE ${shape.keys.map((key) => `"${key}" = ?`).join(" AND ")}
    AND NOT (${others.map((column) => `"${column}" IS ?`).join(" AND ")})`;
  return database.prepare(sql).bind(
    ...others.map(valueOf),
    ...shape.keys.map(valueOf),
    ...others.map(valueOf),
  );
}
