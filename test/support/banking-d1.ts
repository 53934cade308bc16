// One banking service on the real D1 for each test of a file, and what it left in the tables.
import { env } from "cloudflare:workers";
import { beforeEach } from "vitest";
import { bankingApp } from "./banking-app.ts";
import type { BankingApp, Linked } from "./banking-app.ts";

export const binding = (env as unknown as { DB: D1Database }).DB;
export let app: BankingApp;

/** Gives each test of a file a service of its own, whose users no other test has. */
export function useBankingApp(): void {
  beforeEach(() => {
    app = bankingApp(binding);
    app.powens.state.nextUser = Math.floor(Math.random() * 1e9) + 1;
  });
}

/** Leaves a sweep nothing to do for the users that are there. */
export async function nothingDue(): Promise<void> {
  await binding.exec("UPDATE bank_connections SET changes_due_at_ms = 9e15, next_try_at_ms = NULL");
  await binding.exec("UPDATE aggregator_links SET next_try_at_ms = NULL");
  await binding.exec("DELETE FROM earning_handovers");
}

/** Like `useBankingApp`; a sweep finds no connection of another test. */
export function useAloneBankingApp(): void {
  useBankingApp();
  beforeEach(nothingDue);
}

export const all = async <T = Record<string, unknown>>(
  query: string,
  ...values: unknown[]
): Promise<T[]> => (await binding.prepare(query).bind(...values).all<T>()).results;
export const mark = async (user: Linked) =>
  (await all<{ at: number | null; due: number }>(
    "SELECT changes_read_at_ms AS at, changes_due_at_ms AS due FROM bank_connections WHERE user_id = ?",
    user.userId,
  ))[0];
export const rowsAt = (user: Linked) => app.powens.state.users.get(user.remoteUserId)?.rows ?? [];
export const sweepAfter = async (ms: number) => {
  app.clock.ms += ms;
  await app.service.sweep(app.clock.ms);
};
export const connectionAt = (user: Linked): Record<string, unknown> =>
  app.powens.state.users.get(user.remoteUserId)?.connections.get(user.remoteConnectionId) ?? {};
export const quarantinedOf = (user: Linked) =>
  all<{ id: string; event: string; resolved_at_ms: number | null }>(
    "SELECT id, event, resolved_at_ms FROM quarantine WHERE remote_user_id = ? ORDER BY first_at_ms",
    String(user.remoteUserId),
  );
