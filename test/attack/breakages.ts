// For each class of attacks a rule that is taken out of a copy of the sources: the class must notice.
// `memory` has none: it is the runtime's process that is measured, which only the built edge has.
import type { Breakage } from "./in-process.ts";

export const BREAKAGES = {
  matrix: [{
    file: "src/http/authentication.ts",
    from: 'if (!held.includes("owner") && !roles.some((role) => held.includes(role))) {',
    to: "if (held.length === 0) {",
  }],
  forgedTokens: [{
    file: "src/identity/operator-tokens.ts",
    from: "        audience,\n",
    to: "",
  }],
  webhookForgeries: [{
    file: "src/banking/aggregators/powens/webhook.ts",
    from: "if (constantTimeEqual(expected, delivery.signature)) valid = true;",
    to: "if (expected.length === delivery.signature.length) valid = true;",
  }],
  fuzz: [{
    file: "src/http/router.ts",
    from: "      if (result.success) return undefined;\n",
    to: "      if (result !== null) return undefined;\n",
  }],
  spraying: [{
    file: "src/identity/code.ts",
    from: "export const UNKNOWN_WRONG_TRIES_PER_DAY = 500;",
    to: "export const UNKNOWN_WRONG_TRIES_PER_DAY = 5_000_000;",
  }],
  // Whose the state is: asked when it is looked up and when it is spent; the link is its owner's.
  linking: [{
    file: "src/banking/store/link-intents.ts",
    from: "eq(connectionIntents.stateHash, stateHash), eq(connectionIntents.userId, userId)",
    to: "eq(connectionIntents.stateHash, stateHash)",
  }, {
    file: "src/banking/store/links.ts",
    from: "        eq(intents.userId, userId),\n",
    to: "",
  }, {
    file: "src/banking/store/links.ts",
    from: "sql`SELECT ${linkId}, ${intents.userId},",
    to: "sql`SELECT ${linkId}, ${userId},",
  }],
  lockOut: [{
    file: "src/http/rate-limit.ts",
    from: "return { own, wide:",
    to: 'return { own: "everybody", wide:',
  }],
  tampering: [{
    file: "src/db/row-seals.ts",
    from: "if (!keys.isGood(getTableName(table.table), fieldsOf(table, covered), row.seal)) {",
    to: "if (row.seal === getTableName(table.table)) {",
  }],
  // Two checks, each of which alone keeps the points from being confirmed.
  mintedRows: [{
    file: "src/ledger/purchases/unshown-lots.ts",
    from: "if (isShown(call, purchase)) return confirmLot(call, lot, purchase.id);",
    to: "return confirmLot(call, lot, purchase.id);",
  }, {
    file: "src/ledger/purchases/complete-reads.ts",
    from: "for (const planned of lacking) giveUp(call, planned);",
    to: "for (const planned of lacking) if (planned === null) giveUp(call, planned);",
  }],
  quotas: [{
    file: "src/banking/store/link-intents.ts",
    from: "export const TRIPS_A_DAY_MAX = 50;",
    to: "export const TRIPS_A_DAY_MAX = 5_000;",
  }],
} as const satisfies Readonly<Record<string, Breakage>>;
