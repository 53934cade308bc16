// Cuts rows into ledger calls of at most 500 rows and 1 MiB, the offers of their brands counted in.
// Pure.
import { utf8Encode } from "../../kernel/encoding.ts";
import type { BankRow, OfferTerms } from "../../ledger/ports.ts";
import { RECORD_BYTES_MAX, RECORD_ROWS_MAX } from "../../ledger/ports.ts";

// Accounts, ids and the envelope of the call.
const RESERVED_BYTES = 65_536;

function bytesOf(value: unknown): number {
  return utf8Encode(JSON.stringify(value)).length;
}

/**
 * In order; at least one batch, also for no rows, so that the ledger learns of the sync. `termsFor`
 * is only asked how large they are.
 */
export function splitRows(
  rows: readonly BankRow[],
  termsFor: (brandId: NonNullable<BankRow["brand"]>["id"]) => readonly OfferTerms[],
): (readonly BankRow[])[] {
  let current: BankRow[] = [];
  const batches = [current];
  let brands = new Set<string>();
  let bytes = RESERVED_BYTES;
  const bytesWith = (row: BankRow): number =>
    bytesOf(row) +
    (row.brand === null || brands.has(row.brand.id) ? 0 : bytesOf(termsFor(row.brand.id)));
  for (const row of rows) {
    let added = bytesWith(row);
    if (
      current.length >= RECORD_ROWS_MAX || (current.length > 0 && bytes + added > RECORD_BYTES_MAX)
    ) {
      current = [];
      batches.push(current);
      brands = new Set();
      bytes = RESERVED_BYTES;
      added = bytesWith(row);
    }
    bytes += added;
    current.push(row);
    if (row.brand !== null) brands.add(row.brand.id);
  }
  return batches;
}
