// Seals of rows as the stores use them: what a table's seal covers, a row's seal for its write, and
// the check of it in use. A row without a good seal is not used, and somebody is called.
import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { assert } from "../kernel/assert.ts";
import { canonicalJson } from "../kernel/hash.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { Log } from "../kernel/log.ts";
import { sealKeys } from "../kernel/row-seal.ts";
import type { SealedFields, SealedValue } from "../kernel/row-seal.ts";

/** What the seal of a table covers. `Fields` are the covered columns of a row. */
export type SealedTable<Fields> = {
  readonly table: SQLiteTable;
  readonly columns: readonly string[];
  /** The primary key, by which rows are found again. */
  readonly key: readonly string[];
  /**
   * The covered columns of a row, and nothing else of it. A method: tables of different rows go into
   * one list.
   */
  covered(row: Fields): Readonly<Record<string, unknown>>;
  /** When a row was made; null where every row was sealed from the first one on. */
  readonly madeAt: string | null;
  /** Columns of JSON text, of which the value is sealed and not the spelling. */
  readonly json: readonly string[];
  /** A row in which all of these are null says nothing yet and needs no seal. */
  readonly blankWithout: readonly string[];
};

/**
 * Names what a table's seal covers. `madeAt` is the column that tells rows of before there were
 * seals from later ones; null for a table that never had a row without. The table needs a column
 * `seal`.
 */
export function sealed<
  Table extends SQLiteTable,
  const Column extends keyof Table["$inferSelect"] & string,
>(
  table: Table,
  madeAt: NoInfer<Column> | null,
  columns: readonly Column[],
  options: {
    readonly key?: readonly Column[];
    readonly json?: readonly Column[];
    readonly blankWithout?: readonly Column[];
  } = {},
): SealedTable<Pick<Table["$inferSelect"], Column>> {
  return {
    table,
    columns,
    key: options.key ?? ["id"],
    madeAt,
    json: options.json ?? [],
    blankWithout: options.blankWithout ?? [],
    covered: (row) => Object.fromEntries(columns.map((column) => [column, row[column]])),
  };
}

/**
 * What a row's seal says: good under the active key, or not needed; good under another one, or
 * missing from a row of before, so that it can be renewed; or that the row must not be used.
 */
type SealVerdict = "good" | "renewable" | "unsealed" | "refused";
type Seal = { readonly seal: string | null };

export type RowSeals = {
  /** The seal of a row that is about to be written with these values. */
  readonly of: <Fields>(table: SealedTable<Fields>, row: NoInfer<Fields>) => string;
  readonly verdict: <Fields>(
    table: SealedTable<Fields>,
    row: NoInfer<Fields> & Seal,
  ) => SealVerdict;
  /** False for a row that must not be used; alerts. */
  readonly holds: <Fields>(table: SealedTable<Fields>, row: NoInfer<Fields> & Seal) => boolean;
};

type RowSealDeps = {
  readonly keyring: Keyring;
  /** Rows made before this instant may be without a seal; null: none may. */
  readonly unsealedBeforeMs: number | null;
  readonly log: Log;
};

/** Seals under keys derived from the keyring. */
export function rowSeals({ keyring, unsealedBeforeMs, log }: RowSealDeps): RowSeals {
  const keys = sealKeys(keyring);
  const verdict: RowSeals["verdict"] = (table, row) => {
    const covered = table.covered(row);
    if (row.seal !== null) {
      if (!keys.isGood(getTableName(table.table), fieldsOf(table, covered), row.seal)) {
        return "refused";
      }
      return keys.isActive(row.seal) ? "good" : "renewable";
    }
    const { blankWithout } = table;
    const isBlank = blankWithout.length > 0 &&
      blankWithout.every((column) => covered[column] === null);
    if (isBlank) return "good";
    const madeAtMs = table.madeAt === null ? null : covered[table.madeAt];
    return unsealedBeforeMs !== null && typeof madeAtMs === "number" && madeAtMs < unsealedBeforeMs
      ? "unsealed"
      : "refused";
  };
  return {
    of: (table, row) => keys.make(getTableName(table.table), fieldsOf(table, table.covered(row))),
    verdict,
    holds(table, row) {
      if (verdict(table, row) !== "refused") return true;
      const id = table.covered(row)[table.key[0] ?? ""];
      log.alert("row_seal_broken", {
        table: getTableName(table.table),
        row: typeof id === "string" ? id : null,
        seal: row.seal === null ? "missing" : "wrong",
      });
      return false;
    },
  };
}

/** The covered columns by their names in the database. */
function fieldsOf<Fields>(
  { table, columns, json }: SealedTable<Fields>,
  covered: Readonly<Record<string, unknown>>,
): SealedFields {
  const known = getTableColumns(table);
  return columns.map((column) => {
    const name = known[column]?.name;
    assert(name !== undefined, "sealed_column_unknown", "a sealed column is not in its table");
    return [name, valueOf(covered[column], json.includes(column))];
  });
}

function valueOf(value: unknown, isJson: boolean): SealedValue {
  if (isJson && typeof value === "string") return canonicalJson(JSON.parse(value));
  if (Array.isArray(value)) return value.map(String);
  assert(
    value === null || typeof value === "string" || typeof value === "number" ||
      typeof value === "boolean",
    "sealed_value_missing",
    "a sealed column has no value that can be sealed",
  );
  return value;
}
