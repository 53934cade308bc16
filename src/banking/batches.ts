// Cuts rows into ledger calls of at most 500 rows and 1 MiB, each with the offers of its own brands. Pure.
import { utf8Encode } from "../kernel/encoding.ts";
import type { BankRow, OfferTerms } from "../ledger/ports.ts";
import { RECORD_BYTES_MAX, RECORD_ROWS_MAX } from "../ledger/ports.ts";

export type RowBatch = { readonly rows: readonly BankRow[]; readonly offers: readonly OfferTerms[] };

// Accounts, ids and the envelope of the call.
const RESERVED_BYTES = 65_536;

function bytesOf(value: unknown): number {
  return utf8Encode(JSON.stringify(value)).length;
}

/** In order; at least one batch, also for no rows, so that the ledger learns of the sync. */
export function splitRows(rows: readonly BankRow[], termsFor: (brandId: NonNullable<BankRow["brand"]>["id"]) => readonly OfferTerms[]): RowBatch[] {
  const batches: { rows: BankRow[]; offers: OfferTerms[] }[] = [{ rows: [], offers: [] }];
  let current = batches[0] ?? { rows: [], offers: [] };
  let brands = new Set<string>();
  let bytes = RESERVED_BYTES;
  for (const row of rows) {
    const rowBytes = bytesOf(row);
    let offers = row.brand === null || brands.has(row.brand.id) ? [] : termsFor(row.brand.id);
    let added = rowBytes + bytesOf(offers);
    if (current.rows.length >= RECORD_ROWS_MAX || (current.rows.length > 0 && bytes + added > RECORD_BYTES_MAX)) {
      current = { rows: [], offers: [] };
      batches.push(current);
      brands = new Set();
      bytes = RESERVED_BYTES;
      offers = row.brand === null ? [] : termsFor(row.brand.id);
      added = rowBytes + bytesOf(offers);
    }
    current.rows.push(row);
    current.offers.push(...offers);
    if (row.brand !== null) brands.add(row.brand.id);
    bytes += added;
  }
  return batches;
}
