// Single values of a book: whether it is erased and what its last leaf was, and how far D1 has
// come.
import type { Sql } from "./sql.ts";
import { textOf } from "./sql.ts";
import type { Leaf } from "../ports.ts";

export function readMeta(sql: Sql, name: string): string | null {
  const row = sql.exec("SELECT value FROM meta WHERE name = ?", name)[0];
  return row === undefined ? null : textOf(row, "value");
}

export function writeMeta(sql: Sql, name: string, value: string): void {
  sql.exec(
    "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    name,
    value,
  );
}

/** The closed leaf of an erased book, or null while it lives. */
export function erasedLeaf(sql: Sql): Leaf | null {
  const row = sql.exec(
    "SELECT (SELECT value FROM meta WHERE name = 'erased_sequence') AS sequence, (SELECT value FROM meta WHERE name = 'erased_head') AS head",
  )[0];
  const sequence = row?.["sequence"];
  const head = row?.["head"];
  return typeof sequence === "string" && typeof head === "string"
    ? { sequence: Number(sequence), head }
    : null;
}

export function writeErased(sql: Sql, leaf: Leaf): void {
  writeMeta(sql, "erased", "1");
  writeMeta(sql, "erased_sequence", String(leaf.sequence));
  writeMeta(sql, "erased_head", leaf.head);
}
