// Checks a whole book against itself: the chain, the sums, and what lots and purchases say beside
// them. An auditor's first question to a ledger, and the last line of every simulation step.
import { canonicalJson } from "../../kernel/hash.ts";
import { bodyFrom, chainHash, changesOf, FIRST_HASH } from "./transactions.ts";
import type { TransactionBody } from "./transactions.ts";
import { numberOf } from "./numbered-id.ts";
import type { Balances, Verification } from "../ports.ts";
import { integerOf, textOf } from "./sql.ts";
import type { SqlRow } from "./sql.ts";
import type { Call } from "./call.ts";

const PAGE = 500;
const HASH = /^[0-9a-f]{64}$/;

/**
 * Names of everything that does not hold, none when the book is sound. Reads it all, page by page.
 */
export function verifyBook(call: Call): Verification {
  const broken = new Set<string>();
  let previous = FIRST_HASH;
  let sequence = 0;
  let sums: Balances = { pending: 0, available: 0, held: 0 };
  for (;;) {
    const rows = call.sql.exec(
      "SELECT sequence, kind, body, pending, available, held, hash FROM transactions WHERE sequence > ? ORDER BY sequence LIMIT ?",
      sequence,
      PAGE,
    );
    for (const row of rows) {
      const body = bodyFrom(row);
      const changes = changesOf(body.postings);
      sums = {
        pending: sums.pending + changes.pending,
        available: sums.available + changes.available,
        held: sums.held + changes.held,
      };
      sequence += 1;
      for (const fault of faultsOf(row, body, previous, sequence, sums)) broken.add(fault);
      previous = textOf(row, "hash");
      sequence = integerOf(row, "sequence");
    }
    if (rows.length < PAGE) break;
  }
  for (const fault of lotFaults(call, sums)) broken.add(fault);
  if (newestNamed(call) > sequence) broken.add("entry_missing");
  return { sequence, head: previous, broken: [...broken] };
}

function faultsOf(
  row: SqlRow,
  body: TransactionBody,
  previous: string,
  sequence: number,
  sums: Balances,
): string[] {
  const faults: string[] = [];
  const text = textOf(row, "body");
  if (integerOf(row, "sequence") !== sequence || body.sequence !== sequence) {
    faults.push("sequence_gap");
  }
  if (text !== canonicalJson(body)) faults.push("body_not_canonical");
  // A hash that somebody replaced by no hash at all is a broken chain too, not a failure to check.
  if (chainHash(HASH.test(previous) ? previous : FIRST_HASH, text) !== textOf(row, "hash")) {
    faults.push("chain_broken");
  }
  if (body.postings.reduce((sum, [, points]) => sum + points, 0) !== 0) {
    faults.push("postings_unbalanced");
  }
  for (const account of ["pending", "available", "held"] as const) {
    if (body.balances[account] !== sums[account] || integerOf(row, account) !== sums[account]) {
      faults.push("balance_not_the_sum");
    }
  }
  if (body.kind !== row["kind"]) faults.push("kind_differs");
  return faults;
}

/**
 * The highest sequence that lots and holds name an entry of: a chain whose end was cut off holds in
 * itself.
 */
function newestNamed(call: Call): number {
  const named = call.sql.exec(
    "SELECT entry_id AS id FROM lots UNION ALL SELECT reversal_id FROM lots WHERE reversal_id IS NOT NULL UNION ALL SELECT entry_id FROM holds",
  );
  return named.reduce((newest, row) => Math.max(newest, numberOf(textOf(row, "id"))), 0);
}

function lotFaults(call: Call, sums: Balances): string[] {
  const row = call.sql.exec(
    `SELECT (SELECT COALESCE(SUM(granted - reversed), 0) FROM lots WHERE state = 'pending') AS pending,
       (SELECT COALESCE(SUM(remaining), 0) FROM lots) AS open,
       (SELECT COALESCE(SUM(points), 0) FROM holds WHERE state IN ('open', 'committed')) AS held,
       (SELECT COUNT(*) FROM purchases WHERE same_as IS NULL AND lot_no IS NOT NULL AND lot_no NOT IN (SELECT lot_no FROM lots)) AS lost,
       (SELECT COUNT(*) FROM purchases WHERE json_array_length(verdict, '$.reasons') = 0) AS unreasoned`,
  )[0] ?? {};
  const faults: string[] = [];
  if (integerOf(row, "pending") !== sums.pending) faults.push("pending_lots_differ");
  if (integerOf(row, "open") !== Math.max(sums.available, 0)) faults.push("open_lots_differ");
  if (integerOf(row, "held") !== sums.held) faults.push("holds_differ");
  if (integerOf(row, "lost") !== 0) faults.push("lot_missing");
  if (integerOf(row, "unreasoned") !== 0) faults.push("verdict_without_reason");
  return faults;
}
