// Whole systems in folders of their own, filled and compared: what the tests of moving one share.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ArchiveLine } from "../../../src/cli/archive.ts";
import type { Call } from "../../../src/cli/admin-client.ts";
import { signedCursors } from "../../../src/http/paging.ts";
import { newId } from "../../../src/kernel/ids.ts";
import type { UserId } from "../../../src/kernel/ids.ts";
import { parseKeyring } from "../../../src/kernel/keyring.ts";
import type { Keyring } from "../../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";
import { transferClient } from "../../../src/ledger/object/transfer-client.ts";
import { DUMP_ROWS } from "../../../src/ledger/object/transfer.ts";
import { openAlarms } from "../../../src/platform/deno/alarms.ts";
import { openBudgets } from "../../../src/platform/deno/budgets.ts";
import { migrateSqliteD1, openSqliteD1 } from "../../../src/platform/deno/d1.ts";
import { openLedgers } from "../../../src/platform/deno/ledgers.ts";
import type { TransferError } from "../../../src/transfer/errors.ts";
import type { SealedLine } from "../../../src/transfer/ports.ts";
import { transferService } from "../../../src/transfer/service.ts";
import { transferStore } from "../../../src/transfer/store.ts";
import { at, batch, offer, row } from "../../contract/ledger-factories.ts";
import { QUIET_HELPERS } from "../../support/deno-files.ts";

export const root = mkdtempSync(join(tmpdir(), "cagnotte-transfer-unit-"));
let number = 0;
export const newKeyring = (): Keyring => {
  const made = parseKeyring(
    JSON.stringify({
      active: "k1",
      keys: { k1: Buffer.from(systemRandomBytes(32)).toString("base64") },
    }),
  );
  if (made === null) throw new Error("not a keyring");
  return made;
};
export const KEYRINGS = { encryption: newKeyring(), index: newKeyring(), archive: newKeyring() };
export const NOW = at("2026-11-14");

export function openSystem(keyrings = KEYRINGS, migrations = "migrations") {
  const dir = mkdtempSync(join(root, "system-"));
  const path = join(dir, "cagnotte.sqlite");
  migrateSqliteD1(path, migrations);
  const database = openSqliteD1(path);
  const alarms = openAlarms(join(dir, "alarms.sqlite"));
  const budgets = openBudgets(join(dir, "budgets"));
  const clock = { nowMs: () => NOW };
  const log = { info: () => {}, alert: () => {} };
  const ledgers = openLedgers({
    folder: join(dir, "ledgers"),
    alarms,
    clock,
    random: systemRandomBytes,
    log,
    database,
    reserve: budgets.reserve,
    helpers: QUIET_HELPERS,
  });
  const objects = transferClient({
    ledgers: { getByName: ledgers.transferOf },
    budgets: { getByName: budgets.transferOf },
    clock,
    log,
  });
  const service = transferService({
    store: transferStore(database),
    objects,
    keyrings,
    cursors: signedCursors(keyrings.index),
    clock,
    random: systemRandomBytes,
  });
  let calls = 0;
  const limit = { calls: Infinity };
  // The routes' part, so that the command line runs against it. `limit` cuts the line after some
  // calls.
  const call: Call = async <T>(
    method: "GET" | "POST",
    target: string,
    body?: unknown,
  ): Promise<T | null> => {
    if (++calls > limit.calls) throw new Error("cut");
    const url = new URL(target, "http://system");
    if (url.pathname === "/export") {
      return unwrap(
        await service.exportLine(
          url.searchParams.get("archive") ?? "",
          url.searchParams.get("cursor"),
        ),
      ) as T;
    }
    if (url.pathname === "/import/open") return unwrap(await service.open()) as T;
    return (method === "GET"
      ? await service.importState()
      : unwrap(await service.importLine(body as SealedLine))) as T | null;
  };
  const raw = (text: string, ...values: (string | number | null)[]) => {
    const file = new DatabaseSync(path);
    const rows = file.prepare(text).all(...values);
    file.close();
    return rows;
  };
  const cutAfter = (more: number): void => void (limit.calls = calls + more);
  return {
    dir,
    database,
    alarms,
    budgets,
    ledgers,
    service,
    call,
    raw,
    cutAfter,
    calls: () => calls,
  };
}
export type System = ReturnType<typeof openSystem>;

export function unwrap<T>(
  result: { readonly ok: true; readonly value: T } | {
    readonly ok: false;
    readonly error: TransferError;
  },
): T {
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

export const OFFER = newId("off", 1, systemRandomBytes);
const BRAND = newId("brd", 1, systemRandomBytes);

export function addUser(system: System, index: number): UserId {
  const userId = newId("usr", NOW + index, systemRandomBytes);
  system.raw(
    `INSERT INTO users (id, email_index, email_cipher, data_key, locale, state, created_at_ms) VALUES (?, ?, 'f1.a.b', 'k1.a.b.c', 'fr', 'active', ?)`,
    userId,
    `e${index}`,
    NOW,
  );
  return userId;
}

/**
 * Two users, one with more rows than a page and a budget, one erased; two versions of an offer; a
 * setting.
 */
export async function filledSystem() {
  const system = openSystem();
  system.raw("INSERT INTO settings (name, value, set_at_ms) VALUES ('points_per_euro', '100', 1)");
  system.raw(
    "INSERT INTO brands (id, name, name_key, category, aliases, excluded, created_at_ms, updated_at_ms) VALUES (?, 'B', 'b', 'c', '[]', '[]', 1, 1)",
    BRAND,
  );
  system.raw(
    "INSERT INTO offers (id, brand_id, title_fr, title_en, created_by, created_at_ms) VALUES (?, ?, 'a', 'b', 'alice', 1)",
    OFFER,
    BRAND,
  );
  for (const version of [1, 2]) {
    system.raw(
      "INSERT INTO offer_versions (offer_id, number, terms, second_person, state, created_by, created_at_ms, approved_at_ms) VALUES (?, ?, ?, 0, 'approved', 'alice', 1, 1)",
      OFFER,
      version,
      JSON.stringify({ budgetPoints: 5000, text: 'l\'été "x"' }),
    );
  }
  system.raw("UPDATE catalogue_state SET version = 7, brands_version = 3");
  const users = [addUser(system, 1), addUser(system, 2)] as const;
  const rows = Array.from({ length: DUMP_ROWS + 50 }, (_, index) => row(String(index)));
  const limited = { ...offer(), offerId: OFFER, budgetPoints: 5000 };
  const ledger = (userId: UserId) => system.ledgers.namespace.getByName(userId);
  await ledger(users[0]).record(batch(rows), NOW);
  await ledger(users[1]).record(batch([row("1")], { offers: [limited] }), NOW);
  for (const user of users) await ledger(user).runDue(null, NOW);
  const gone = addUser(system, 3);
  await ledger(gone).record(batch([row("1")]), NOW);
  await ledger(gone).erase(null, NOW);
  return { system, users, gone };
}

export const newFile = (): string => join(root, `${number++}.archive`);
export const linesOf = (path: string): ArchiveLine[] =>
  readFileSync(path, "utf8").trimEnd().split("\n").map((text) => JSON.parse(text) as ArchiveLine);
export const writeLines = (path: string, lines: readonly ArchiveLine[]): void =>
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

export async function essence(system: System, users: readonly UserId[]) {
  const seen = [];
  for (const user of users) {
    const ledger = system.ledgers.namespace.getByName(user);
    seen.push(
      await ledger.leaf(null, NOW),
      await ledger.verify(null, NOW),
      await ledger.points(null, NOW),
      await ledger.purchases({
        from: null,
        to: null,
        brandId: null,
        outcome: null,
        limit: 1000,
        before: null,
      }, NOW),
    );
  }
  return seen;
}
