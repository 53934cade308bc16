// Limits of D1 that the local database does not have: 100 bound values in a statement, 32 arguments
// of an SQL function. A statement over one of them fails in production alone.
import { SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import { drizzle } from "drizzle-orm/d1";
import type { SQL } from "drizzle-orm";
import { describe, it } from "vitest";
import { insertAccount } from "../../../src/banking/store/new-account.ts";
import { updateAccount } from "../../../src/banking/store/reconcile.ts";
import { linkedUserReads } from "../../../src/banking/store/linked-users.ts";
import type { Database } from "../../../src/db/database.ts";
import { strictSeals } from "../../support/seals.ts";

const VALUES_MAX = 100;
const ARGUMENTS_MAX = 32;
const seals = strictSeals({ active: "k1", keys: new Map([["k1", new Uint8Array(32)]]) });
const USER = "usr_0190a0b0-0000-7000-8000-0000000000ab";

type Statement = { readonly sql: string; readonly params: readonly unknown[] };

/** The most arguments that one function of the statement takes. */
function mostArguments(sql: string): number {
  const open: number[] = [];
  let most = 0;
  for (const character of sql.replace(/'[^']*'/g, "''")) {
    if (character === "(") open.push(1);
    else if (character === "," && open.length > 0) open.push((open.pop() ?? 0) + 1);
    else if (character === ")") most = Math.max(most, open.pop() ?? 0);
  }
  return most;
}

async function linkedUserStatements(): Promise<Statement[]> {
  const seen: Statement[] = [];
  const dialect = new SQLiteSyncDialect();
  const capture = {
    all: async (query: SQL) => {
      seen.push(dialect.sqlToQuery(query));
      return [];
    },
  } as unknown as Database;
  const reads = linkedUserReads(capture, seals);
  await reads.linkedUserByRemoteId("powens", "7");
  await reads.connectionsOf(USER);
  return seen;
}

describe("statements of the banking store", () => {
  const db = drizzle({} as D1Database) as unknown as Database;
  const changes = { aggregator: "powens", userId: USER, nowMs: 5, readAtMs: 5 } as never;
  const identity = {
    fingerprint: "f",
    strength: "iban",
    ownIban: "f",
    nameTag: "n",
    parentRemoteId: null,
    earlierKeys: ["f"],
    id: "acc_1",
    createdAtMs: 1,
  };

  it("bind no more values than D1 takes", async ({ expect }) => {
    const item = { remoteConnectionId: "1", remoteId: "2", kind: "card", currency: "EUR" };
    const random = (length: number) => new Uint8Array(length);
    const statements: Statement[] = [
      insertAccount(db, changes, { ...item, ...identity } as never, random, seals).toSQL(),
      updateAccount(
        db,
        changes,
        { remoteId: "2", state: "enabled", currency: null, goneAtMs: null, identity } as never,
        seals,
      ).toSQL(),
      ...await linkedUserStatements(),
    ];
    for (const { params } of statements) expect(params.length).toBeLessThanOrEqual(VALUES_MAX);
  });

  it("give no function more arguments than D1 takes", async ({ expect }) => {
    const statements = await linkedUserStatements();
    expect(statements).toHaveLength(2);
    for (const { sql } of statements) expect(mostArguments(sql)).toBeLessThanOrEqual(ARGUMENTS_MAX);
    expect(mostArguments(`json_object(${Array.from({ length: 33 }, () => "'a, b'").join(", ")})`))
      .toBe(33);
  });
});
