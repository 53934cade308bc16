// A book that somebody changed behind the ledger's back: the verifier must notice, whatever it was.
import { ensure } from "./book.ts";
import { must } from "./ledger.ts";
import type { SimUser, World } from "./world.ts";

/** Each changes one thing that is money, or the proof of it. `?1` is the entry. */
const TAMPERINGS: Readonly<Record<string, string>> = {
  "points in a body":
    "UPDATE transactions SET body = replace(body, '\"recorded_at_ms\":', '\"recorded_at_ms\":1') WHERE sequence = ?1",
  "a balance": "UPDATE transactions SET available = available + 1 WHERE sequence = ?1",
  "a hash": "UPDATE transactions SET hash = '" + "0".repeat(64) + "' WHERE sequence = ?1",
  "a kind":
    "UPDATE transactions SET kind = CASE kind WHEN 'goodwill' THEN 'referral' ELSE 'goodwill' END WHERE sequence = ?1",
  "an entry that is gone": "DELETE FROM transactions WHERE sequence = ?1",
  "a lot's points":
    "UPDATE lots SET granted = granted + 1, remaining = CASE state WHEN 'available' THEN remaining + 1 ELSE remaining END WHERE lot_no = (SELECT MAX(lot_no) FROM lots) AND ?1 > 0",
};

export function checkTampering(world: World, user: SimUser): void {
  const { verified, ledger } = user;
  if (user.leaf !== null || verified.sequence === 0) return;
  for (const [what, sql] of Object.entries(TAMPERINGS)) {
    const broken = ledger.tampered(
      sql,
      world.rng.int(1, verified.sequence),
      () => must(ledger.engine.verify(null, world.nowMs)).broken,
    );
    ensure(broken.length > 0, `the verifier does not notice ${what}`);
  }
}
