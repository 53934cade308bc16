// Deliberate breakages of the ledger, each one edit of its source. The simulation must notice every one of them; `find` must
// occur exactly once, so that a breakage which no longer breaks anything is noticed as well.
export type Mutation = {
  readonly name: string;
  /** What the design promises and the breakage takes away. */
  readonly breaks: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Seeds that are known to notice; the first few of all are tried as well. */
  readonly seeds?: readonly number[];
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
    find: ": Math.max(0, capPointsPerUser - pointsUsed);", seeds: [16], replace: ": afterPurchaseCap;",
  },
  { name: "any version counts", breaks: "the version in force at the purchase date", file: "ledger/earning.ts", find: "return terms.filter((each) => overlaps(each, day));", seeds: [22], replace: "return terms.filter(() => day.startMs > 0);" },
  {
    name: "refunds round up", breaks: "keep = floor(points x cents left / base cents)", file: "ledger/verdicts.ts",
    find: "mulDivFloor(record.granted, record.amountCents - refundedCents, record.amountCents)", replace: "Math.ceil((record.granted * (record.amountCents - refundedCents)) / record.amountCents)",
  },
  { name: "oldest purchase is refunded", breaks: "newest within 90 days first", file: "ledger/refunds.ts", find: "a.date === b.date ? compareKeys(a, b) : a.date < b.date ? 1 : -1", replace: "a.date === b.date ? compareKeys(a, b) : a.date < b.date ? -1 : 1" },
  { name: "claw-back without bound", breaks: "at most what has neither expired nor been reversed", file: "ledger/lots.ts", find: "const taken = Math.min(points, lot.granted - lot.reversed - lot.expired);", seeds: [14], replace: "const taken = points;" },
  { name: "holds survive a debt", breaks: "open holds are released until available is not negative", file: "ledger/holds.ts", find: "while (work.head.balances.available < 0) {", seeds: [16], replace: "while (work.head.balances.available < -1e9) {" },
  { name: "confirmed twice", breaks: "a lot is confirmed once", file: "ledger/lots.ts", find: `  lot.state = "available";\n  lot.remaining = points;`, replace: "  lot.remaining = points;" },
  { name: "newest points first", breaks: "spent and expired oldest first", file: "ledger/lots.ts", find: "WHERE remaining > 0 ORDER BY expires_at_ms, lot_no", replace: "WHERE remaining > 0 ORDER BY expires_at_ms DESC, lot_no DESC" },
  { name: "expiry without notice", breaks: "no expiry without a notice that was sent", file: "ledger/lots.ts", find: "return noticed === Infinity ? null :", replace: "return noticed === Infinity ? lot.expiresAtMs :" },
  { name: "released points expire at once", breaks: "no earlier than 30 days after a release", file: "ledger/lots.ts", find: "Math.max(lot.expiresAtMs, fromMs + RELEASED_EXPIRY_MIN_MS)", replace: "lot.expiresAtMs" },
  { name: "hash without the kind", breaks: "SHA-256(previous hash || the whole body)", file: "ledger/book.ts", find: "const hash = chainHash(head.hash, body);", replace: `const hash = chainHash(head.hash, body.replace(draft.kind, ""));` },
  { name: "deadlines wait for the alarm", breaks: "a deadline holds when it is read", file: "ledger/engine.ts", find: "    bringUpToDate(work);\n", replace: "" },
  { name: "budget not given back", breaks: "reversals give back", file: "ledger/budget-shares.ts", find: `record.waitsFor === "budget" ? share.wanted : share.restore ?? standingOf(record)`, seeds: [28], replace: `record.waitsFor === "budget" ? share.wanted : record.granted` },
  { name: "a key takes any input", breaks: "same key and other input: a conflict", file: "ledger/operations.ts", find: `textOf(known, "input_hash") === inputHash ?`, replace: `textOf(known, "input_hash") !== "" ?` },
  { name: "counters lose what is reversed", breaks: "projections equal ledgers", file: "ledger/outbox.ts", find: "    count(counters, last);\n", replace: `    if (last.kind !== "cancel") count(counters, last);\n` },
  // What D1, screens and operators are told.
  { name: "budget limit told tenfold", breaks: "a budget is never exceeded", file: "ledger/budget-shares.ts", find: "limit: terms.budgetPoints ?? 0, wanted", replace: "limit: (terms.budgetPoints ?? 0) * 10, wanted" },
  { name: "counters lose what is available", breaks: "the liability of any day", file: "ledger/outbox.ts", find: "available: delta.changes.available + moved.available", replace: "available: delta.changes.available" },
  { name: "counters without brand", breaks: "counters by brand", file: "ledger/outbox.ts", find: `const brandId = body.brand_id ?? "";`, replace: `const brandId = "";` },
  { name: "counters on one day", breaks: "counters by day", file: "ledger/outbox.ts", find: "const day = dayOf(body.recorded_at_ms);", replace: "const day = dayOf(1);" },
  { name: "counters without cents", breaks: "counters of cents", file: "ledger/outbox.ts", find: "cents: delta.cents + (body.cents ?? 0)", replace: "cents: 0" },
  { name: "counters without purchases", breaks: "counters of purchases", file: "ledger/outbox.ts", find: "purchases: delta.purchases + (body.purchases ?? (body.purchase_id === undefined ? 0 : 1))", replace: "purchases: 0" },
  { name: "projection applied twice", breaks: "D1 applies a batch on top of exactly its start", file: "ledger/projection-store.ts", find: `database.prepare(addCounters("counters", atStart(0)))`, replace: `database.prepare(addCounters("counters", "?2 <> ?3"))` },
  { name: "acknowledged before D1 has it", breaks: "a lost answer heals itself", file: "ledger/alarm.ts", find: "    const reached = await applyProjection(database, userId, projection.value, nowMs);\n", seeds: [18], replace: "    guard((engine) => engine.ackOutbox(projection.value?.through ?? 0, nowMs));\n    const reached = await applyProjection(database, userId, projection.value, nowMs);\n" },
  { name: "notice noted before it leaves", breaks: "no expiry without a notice that was sent", file: "ledger/alarm.ts", find: "    const sent = await helpers.sendNotice(userId, task, nowMs);\n", seeds: [20], replace: "    guard((engine) => engine.noticeSent(task, nowMs));\n    const sent = await helpers.sendNotice(userId, task, nowMs);\n" },
  { name: "retell does nothing", breaks: "D1 is rebuilt from the books", file: "ledger/engine.ts", find: "      ackOutbox(work, 0);\n", replace: "" },
  { name: "reviews never told", breaks: "rows that wait are visible to operators", file: "ledger/news.ts", find: `return mark === (readMeta(work.sql, TOLD_REVIEWS) ?? "") ? null : { open, mark };`, replace: "return mark === TOLD_REVIEWS ? { open, mark } : null;" },
  { name: "a lost answer of the waiting rows", breaks: "what was told and not acknowledged is told again", file: "ledger/news.ts", find: "  if (news !== null) forgetToldReviews(work);\n", seeds: [172], replace: "" },
  { name: "sample takes everything", breaks: "the sample holds recognised, booked purchases", file: "ledger/news.ts", find: `return row["same_as"] === null && row["state"] === "booked" && row["kind"] === "purchase" && row["brand_id"] !== null`, replace: `return row["brand_id"] !== null` },
  { name: "sample takes nothing", breaks: "each purchase is offered once", file: "ledger/news.ts", find: "purchase: taken ?", replace: `purchase: taken && day === "" ?` },
  { name: "a lost answer of the sample", breaks: "what was told and not acknowledged is taken back", file: "ledger/news.ts", find: "purchase !== null || changed.has(row)", seeds: [82], replace: "purchase !== null || (row <= n && changed.has(row))" },
  { name: "erasure closes once", breaks: "what came after a closing that stopped is kept", file: "ledger/projection-store.ts", find: "(closed === 1 && from === leaf.sequence)", seeds: [19], replace: "closed === 1" },
  { name: "erased book answers", breaks: "every method answers erased", file: "ledger/engine.ts", find: `if (erasedLeaf(sql) !== null) return err({ code: "erased" });`, replace: "" },
  // Time.
  { name: "alarm never set", breaks: "what is due happens", file: "ledger/engine.ts", find: "projected < work.head.sequence || hasNews(work) ? work.nowMs : nextAlarmMs(work)", replace: "projected < work.head.sequence || hasNews(work) ? work.nowMs : nextAlarmMs(work) === 0 ? 0 : null" },
  { name: "alarm forgets the holds", breaks: "open holds lapse in time", file: "ledger/due.ts", find: `["confirming", "expiring", "row_due", "hold_due"]`, seeds: [45], replace: `["confirming", "expiring", "row_due"]` },
  { name: "overdue holds never reported", breaks: "after 10 working days it alerts", file: "ledger/due.ts", find: `filter((hold) => hold.state === "committed").map`, seeds: [85], replace: `filter((hold) => hold.state === "settled").map` },
  { name: "no notice of the last week", breaks: "notices 30 and 7 days before", file: "ledger/due.ts", find: "const daysBefore = expiresAtMs - work.nowMs <= 7 * DAY_MS ? 7 : 30;", replace: `const daysBefore = expiresAtMs - work.nowMs <= 7 * DAY_MS ? 7 : 30;\n    if (daysBefore === 7 && integerOrNull(row, "noticed_30_ms") !== null) continue;` },
  { name: "confirmation promised 5 days late", breaks: "confirmation_expected_on", file: "ledger/views.ts", find: "? dayOf(confirmAtMs) : null;", replace: "? dayOf(confirmAtMs + 432_000_000) : null;" },
  { name: "confirmed as of now", breaks: "effective on the day the lot matured", file: "ledger/lots.ts", find: "effectiveOn: dayOf(lot.confirmAtMs), lots: [[lot.lotNo, points]]", replace: "effectiveOn: dayOf(work.nowMs), lots: [[lot.lotNo, points]]" },
  // Crashes.
  { name: "operate without a transaction", breaks: "a request counts wholly or not at all", file: "ledger/engine.ts", find: "operate: (input, nowMs) => run(nowMs, (work) => operate(work, input.key, input.operation)),", seeds: [30], replace: "operate: (input, nowMs) => {\n      if (erasedLeaf(sql) !== null) return err({ code: \"erased\" });\n      const work = newWork(sql, parts.random, parts.userId, nowMs);\n      bringUpToDate(work);\n      return operate(work, input.key, input.operation);\n    }," },
  { name: "budget answers without a transaction", breaks: "points are posted with what they are for", file: "ledger/engine.ts", find: "budgetGranted: done(budgetGranted)", replace: "budgetGranted: (task, nowMs) => {\n      if (erasedLeaf(sql) !== null) return err({ code: \"erased\" });\n      const work = newWork(sql, parts.random, parts.userId, nowMs);\n      bringUpToDate(work);\n      budgetGranted(work, task);\n      return ok(null);\n    }" },
  // Verdicts and what entries say.
  { name: "refused for the maximum, always", breaks: "the reason of the version that came closest", file: "ledger/earning.ts", find: "reasons: closest?.failures ?? [], checks,", replace: `reasons: closest === null ? [] : ["above_maximum" as const], checks,` },
  { name: "no eligibility checks shown", breaks: "every rule that was looked at", file: "ledger/earning.ts", find: "checks: [...eligibility, leastPoints, ...caps.checks],", replace: "checks: [...caps.checks]," },
  { name: "uncapped doubled", breaks: "the calculation shown is the one made", file: "ledger/earning.ts", find: "      uncapped,\n", replace: "      uncapped: uncapped * 2,\n" },
  { name: "no original currency", breaks: "the original currency is shown", file: "ledger/views.ts", find: "original: record.original, kind", replace: "original: null, kind" },
  { name: "end of a hold names nothing", breaks: "a correction names what it reverses", file: "ledger/holds.ts", find: "    postings, reverses: hold.entryId,", replace: "    postings," },
  { name: "earn entries name another purchase", breaks: "an entry names its purchase", file: "ledger/lots.ts", find: "{ purchaseId: wanted.purchase.id }", replace: "{ purchaseId: `${wanted.purchase.id}x` as typeof wanted.purchase.id }" },
  { name: "verifier blind", breaks: "a tampered book is noticed", file: "ledger/engine.ts", find: "verify: asked(verifyBook)", replace: "verify: asked((work) => ({ ...verifyBook(work), broken: [] }))" },
  { name: "entries with zero balances", breaks: "balances after each entry", file: "ledger/views.ts", find: "changes: changesOf(body.postings), balances: body.balances,", replace: "changes: changesOf(body.postings), balances: { pending: 0, available: 0, held: 0 }," },
  { name: "purchase by id finds nothing", breaks: "a purchase is found by every id it had", file: "ledger/views.ts", find: "return row === undefined ? null : viewFrom(row);", replace: "return null;" },
  { name: "outcome filter ignored", breaks: "filters of the list", file: "ledger/views.ts", find: `if (query.outcome !== null) add("p.outcome = ?", query.outcome);`, replace: "" },
  { name: "summary of a delivery is empty", breaks: "what was recorded is told", file: "ledger/record.ts", find: "recorded: fresh.length, unchanged: plan.unchanged, duplicates,", replace: "recorded: 0, unchanged: 0, duplicates: 0," },
  // Rows that change, accounts that are recognised, people who decide.
  { name: "changed rows keep their verdict", breaks: "a changed amount, day, brand, channel or kind reopens it", file: "ledger/record.ts", find: "return known.kind !== row.kind || known.amountCents !== row.amountCents || known.currency !== row.currency || known.purchasedOn !== row.purchasedOn\n    || known.state !== row.state || known.channel !== row.channel || (known.brand?.id ?? null) !== (row.brand?.id ?? null);", replace: "return known.state !== row.state;" },
  { name: "recognised accounts stay strangers", breaks: "an account whose fingerprint changed is placed anew", file: "ledger/record.ts", find: "if (row === undefined || moved) joined.add(account.fingerprint);\n    if (moved) joined.add(textOf(row, \"fingerprint\"));", seeds: [100], replace: "if (row === undefined) joined.add(account.fingerprint);" },
  { name: "sameness looks six days far", breaks: "taken over within 10 days", file: "ledger/record.ts", find: "SAMENESS_MARGIN_DAYS = 45", seeds: [63], replace: "SAMENESS_MARGIN_DAYS = 6" },
  { name: "what the newest generation dropped stays", breaks: "the newest generation has the last word", file: "ledger/sameness.ts", find: "  addWithdrawals(slots,", seeds: [23], replace: "  if (slots.length < 0) addWithdrawals(slots," },
  { name: "refused rows count", breaks: "what a person refused earns nothing", file: "ledger/verdicts.ts", find: `if (record.review === "refused") return`, seeds: [26], replace: `if (record.review === "cleared") return` },
  { name: "forfeiting spares what is pending", breaks: "everything not committed is given up", file: "ledger/operations.ts", find: "const points = pending + spendable;", replace: "const points = spendable;" },
];
