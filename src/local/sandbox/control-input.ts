// How controls read their input: JSON or a form, unknown names refused, and one way to say
// which connection and account are meant. Callers know only what the redirect gave them, so
// `connection_id` works everywhere and the newest one is the default.
import { z } from "zod";
import type { SandboxContext } from "./context.ts";
import { readFields } from "./context.ts";
import type { AccountRecord, BankAccountRecord, ConnectionRecord } from "./model.ts";
import { isDate } from "./powens-time.ts";
import type { Store } from "./store.ts";

/** A refusal of a control, with what was wrong. */
export function refuse(status: 400 | 404 | 409 | 502, error: string, detail: unknown): Response {
  return Response.json({ error, detail }, { status });
}

/** The fields of a control's body, checked. An empty form field counts as absent. */
export async function readControl<T extends z.ZodType>(
  c: SandboxContext,
  schema: T,
): Promise<z.output<T> | Response> {
  const fields = await readFields(c.req.raw);
  if (fields === null) {
    return refuse(400, "unreadable", "The body must be a JSON object or a form.");
  }
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(present);
  if (parsed.success) return parsed.data;
  return refuse(
    400,
    "invalid",
    parsed.error.issues.map((issue) => ({ field: issue.path.join("."), detail: issue.message })),
  );
}

/** A flag in JSON or in a form. */
export const flag = z.union([z.boolean(), z.stringbool()]);
/** A calendar date. */
export const date = z.string().refine(isDate, "must be a date YYYY-MM-DD");
/** Which connection and account: everything optional. */
export const selector = {
  connection_id: z.coerce.number().int().optional(),
  user: z.coerce.number().int().optional(),
  account: z.union([z.enum(["checking", "card", "savings"]), z.coerce.number().int()]).optional(),
};
/** What becomes known, and how. */
export const delivery = {
  /** false: the bank has it, the aggregator learns it at the next synchronisation. */
  sync: flag.default(true),
  /** false: the aggregator has it, but its webhook is never sent. */
  webhook: flag.default(true),
};

/** The connection that a control means. */
export function selectConnection(
  store: Store,
  chosen: { readonly connection_id?: number | undefined; readonly user?: number | undefined },
): ConnectionRecord | undefined {
  return chosen.connection_id === undefined
    ? store.newestConnection(chosen.user ?? null)
    : store.connection(chosen.connection_id);
}

/** An account with all that it hangs on. */
export interface ChosenAccount {
  readonly account: AccountRecord;
  readonly bank: BankAccountRecord;
  readonly connection: ConnectionRecord;
}

/**
 * The account that a control means: by id, by kind, or the kind that fits the control, opted in if
 * there is one.
 */
export function selectAccount(
  store: Store,
  chosen: {
    readonly connection_id?: number | undefined;
    readonly user?: number | undefined;
    readonly account?: number | string | undefined;
  },
  fallback: "checking" | "card" | "savings",
): ChosenAccount | Response {
  const byId = typeof chosen.account === "number" ? store.account(chosen.account) : undefined;
  const connection = byId === undefined
    ? selectConnection(store, chosen)
    : store.connection(byId.id_connection);
  if (connection === undefined) {
    return refuse(404, "not_found", "No such connection. Has anybody connected a bank yet?");
  }
  if (byId !== undefined) {
    return { account: byId, bank: store.bankAccount(byId.bank_account), connection };
  }
  if (typeof chosen.account === "number") return refuse(404, "not_found", "No such account.");
  const kind = chosen.account ?? fallback;
  const wanted = kind === "savings" ? "livret_a" : kind;
  const candidates = store.accountsOf(connection.id).filter(({ deleted }) => deleted === null)
    .map((account) => ({ account, bank: store.bankAccount(account.bank_account), connection }))
    .filter(({ bank }) => bank.kind === wanted);
  return candidates.find(({ account }) => account.disabled === null) ?? candidates[0] ??
    refuse(404, "not_found", `This connection has no ${kind} account.`);
}
