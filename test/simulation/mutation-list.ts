// Deliberate breakages of the ledger, each one edit of its source. The simulation must notice every one of them; `find` must
// occur exactly once, so that a breakage which no longer breaks anything is noticed as well.
export type Mutation = {
  readonly name: string;
  /** What the design promises and the breakage takes away. */
  readonly breaks: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
};

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "stale row wins", breaks: "rows move by last_update only", file: "ledger/record.ts",
    find: "const newer = row.lastUpdateMs > known.lastUpdateMs ||", replace: "const newer = row.lastUpdateMs !== known.lastUpdateMs ||",
  },
  {
    name: "row told twice is two", breaks: "(a) same account and row id, the same row", file: "ledger/record.ts",
    find: "const known = planned?.record ?? stored.get(key);", replace: "const known = planned?.record;",
  },
  { name: "repeats across generations count", breaks: "(b) a row of a newer generation repeats an older one", file: "ledger/sameness.ts", find: "if (Math.min(...days) > GENERATION_DAYS_MAX) return [];", replace: "return [];" },
  { name: "weak fingerprints are trusted", breaks: "(c) held_for_review under a weak fingerprint", file: "ledger/sameness.ts", find: "const held = weak &&", replace: "const held = !weak &&" },
  { name: "authorisations earn", breaks: "(e) a pending row earns nothing until it is booked", file: "ledger/verdicts.ts", find: `if (record.state === "pending") {`, replace: `if (record.state === "pending" && record.amountCents < 0) {` },
  { name: "authorisations never close", breaks: "(e) closed after 14 days", file: "ledger/verdicts.ts", find: "startOfLaterDayMs(since, PENDING_DAYS_MAX + 1)", replace: "startOfLaterDayMs(since, PENDING_DAYS_MAX + 900)" },
  { name: "one id for two purchases", breaks: "a budget's answer reaches its purchase", file: "ledger/record.ts", find: "if (!anotherHas(work, plan, row.id, [row.n])) return;", replace: "if (touched.record.n > 0) return;" },
  {
    name: "cap per period ignored", breaks: "caps are never exceeded", file: "ledger/earning.ts",
    find: ": Math.max(0, capPointsPerUser - pointsUsed);", replace: ": afterPurchaseCap;",
  },
  { name: "any version counts", breaks: "the version in force at the purchase date", file: "ledger/earning.ts", find: "return terms.filter((each) => overlaps(each, day));", replace: "return terms.filter(() => day.startMs > 0);" },
  {
    name: "refunds round up", breaks: "keep = floor(points x cents left / base cents)", file: "ledger/verdicts.ts",
    find: "mulDivFloor(record.granted, record.amountCents - refundedCents, record.amountCents)", replace: "Math.ceil((record.granted * (record.amountCents - refundedCents)) / record.amountCents)",
  },
  { name: "oldest purchase is refunded", breaks: "newest within 90 days first", file: "ledger/refunds.ts", find: "a.date === b.date ? compareKeys(a, b) : a.date < b.date ? 1 : -1", replace: "a.date === b.date ? compareKeys(a, b) : a.date < b.date ? -1 : 1" },
  { name: "claw-back without bound", breaks: "at most what has neither expired nor been reversed", file: "ledger/lots.ts", find: "const taken = Math.min(points, lot.granted - lot.reversed - lot.expired);", replace: "const taken = points;" },
  { name: "holds survive a debt", breaks: "open holds are released until available is not negative", file: "ledger/holds.ts", find: "while (work.head.balances.available < 0) {", replace: "while (work.head.balances.available < -1e9) {" },
  { name: "confirmed twice", breaks: "a lot is confirmed once", file: "ledger/lots.ts", find: `  lot.state = "available";\n  lot.remaining = points;`, replace: "  lot.remaining = points;" },
  { name: "newest points first", breaks: "spent and expired oldest first", file: "ledger/lots.ts", find: "WHERE remaining > 0 ORDER BY expires_at_ms, lot_no", replace: "WHERE remaining > 0 ORDER BY expires_at_ms DESC, lot_no DESC" },
  { name: "expiry without notice", breaks: "no expiry without a notice that was sent", file: "ledger/lots.ts", find: "return noticed === Infinity ? null :", replace: "return noticed === Infinity ? lot.expiresAtMs :" },
  { name: "released points expire at once", breaks: "no earlier than 30 days after a release", file: "ledger/lots.ts", find: "Math.max(lot.expiresAtMs, fromMs + RELEASED_EXPIRY_MIN_MS)", replace: "lot.expiresAtMs" },
  { name: "hash without the kind", breaks: "SHA-256(previous hash || the whole body)", file: "ledger/book.ts", find: "const hash = chainHash(head.hash, body);", replace: `const hash = chainHash(head.hash, body.replace(draft.kind, ""));` },
  { name: "deadlines wait for the alarm", breaks: "a deadline holds when it is read", file: "ledger/engine.ts", find: "    bringUpToDate(work);\n", replace: "" },
  { name: "budget not given back", breaks: "reversals give back", file: "ledger/budget-shares.ts", find: `record.waitsFor === "budget" ? share.wanted : share.restore ?? standingOf(record)`, replace: `record.waitsFor === "budget" ? share.wanted : record.granted` },
  { name: "a key takes any input", breaks: "same key and other input: a conflict", file: "ledger/operations.ts", find: `textOf(known, "input_hash") === inputHash ?`, replace: `textOf(known, "input_hash") !== "" ?` },
  { name: "counters lose what is reversed", breaks: "projections equal ledgers", file: "ledger/outbox.ts", find: "    count(counters, last);\n", replace: `    if (last.kind !== "cancel") count(counters, last);\n` },
];
