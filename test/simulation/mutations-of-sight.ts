// Breakages of sight before money. The world of sight.ts must notice each.
import type { Mutation } from "./mutation.ts";

export const SIGHT_MUTATIONS: readonly Mutation[] = [
  {
    name: "points are confirmed unseen",
    breaks: "only what a read has shown is confirmed",
    file: "ledger/purchases/unshown-lots.ts",
    find: "if (isShown(call, purchase)) return confirmLot(call, lot, purchase.id);",
    replace: "return confirmLot(call, lot, purchase.id);",
  },
  {
    name: "points are granted as confirmed unseen",
    breaks: "confirmation after 0 days means at the first sight",
    file: "ledger/points/lots.ts",
    find: "if (!direct && !halted && wanted.isShown && lot.confirmAtMs <= call.nowMs)",
    replace: "if (!direct && !halted && lot.confirmAtMs <= call.nowMs)",
  },
  {
    name: "a webhook changes shown facts unnoticed",
    breaks: "a webhook that changes the facts makes a purchase unshown",
    file: "ledger/purchases/batch-plan.ts",
    find: "known.saidMs = call.nowMs;",
    replace: "known.saidMs = wasShown ? null : call.nowMs;",
  },
  {
    name: "a webhook is believed of confirmed points",
    breaks: "confirmed points give way to reads only",
    file: "ledger/purchases/batch-plan.ts",
    find: "if (waitsForRead(call, known)) {",
    replace: "if (waitsForRead(call, known) && call.nowMs < 0) {",
  },
  {
    name: "times of webhooks outrank reads",
    breaks: "what a read gives replaces what webhooks said, whatever time they bore",
    file: "ledger/purchases/batch-plan.ts",
    find: "(wasSaid && differs()) ||",
    replace: "(wasSaid && differs() && known.n < 0) ||",
  },
  {
    name: "a read shows what came after it began",
    breaks: "unless a webhook came after the read began",
    file: "ledger/purchases/sight.ts",
    find: "saidMs < (marksOf(call).get(accountNo) ?? 0);",
    replace: "saidMs < (marksOf(call).get(accountNo) ?? 0) + 5;",
  },
  {
    name: "rows that reads lack are shown",
    breaks: "held when reads answered twice without the row",
    file: "ledger/purchases/complete-reads.ts",
    find: "for (const planned of lacking) giveUp(call, planned);",
    replace: "for (const { row } of lacking) row.saidMs = null;",
  },
  {
    name: "a webhook's refund takes confirmed points",
    breaks: "a refund touches available points only when a read has shown it",
    file: "ledger/purchases/refund-matching.ts",
    find: "boundByReads(call, purchases, refunds, { refundedCents, rowOf });",
    replace: "",
  },
  {
    name: "points wait for ever",
    breaks: "nothing stays held longer than 60 days",
    file: "ledger/purchases/verdict-state.ts",
    find: "export const UNSHOWN_HELD_MS = 60 * DAY_MS;",
    replace: "export const UNSHOWN_HELD_MS = 600 * DAY_MS;",
  },
  {
    name: "a row that came back stays held",
    breaks: "what a read gives after all earns",
    file: "ledger/purchases/batch-plan.ts",
    find: `if (row.review === "not_shown") {`,
    replace: `if (row.review === "refused") {`,
  },
  {
    name: "two reads without a refund are not enough",
    breaks: "what a webhook took comes back when two reads lack it",
    file: "ledger/purchases/complete-reads.ts",
    find: `} else if (row.saidMs === null || isShown(call, row)) letCount(row);`,
    replace: `} else if (row.saidMs === null || row.kind === "refund") letCount(row);`,
  },
];
