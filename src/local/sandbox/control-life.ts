// Controls over what exists already: the life of a row (booked, amended, deleted), of an account
// (recreated, amended, opted in or out) and of a connection (state, synchronisation, expiry).
import { z } from "zod";
import { announce, report } from "./announce.ts";
import {
  disableAccount,
  enableAccount,
  recreateAccount,
  renewConsent,
  setConnectionState,
} from "./bank.ts";
import { accountBodyOf, connectionBody, transactionBody } from "./bodies.ts";
import { date, delivery, flag, readControl, refuse, selectConnection } from "./control-input.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import type { BankRowDoc, RowRecord } from "./model.ts";
import { parisDate } from "./powens-time.ts";
import { docOf } from "./store.ts";
import { Amount, amountFromCents, jsonResponse, writeJson } from "./wire.ts";

/**
 * `resend` puts a changed row into the webhook, which the documentation does not promise; without
 * it only reading shows the change.
 */
const rowDelivery = { ...delivery, resend: flag.optional() };
const decimalText = z.coerce.string().regex(
  /^-?\d{1,16}(\.\d{1,12})?$/u,
  "must be a decimal number",
);

interface OpenRow {
  readonly row: RowRecord;
  readonly doc: BankRowDoc;
  readonly idConnection: number;
}

function openRow({ store }: Services, c: SandboxContext): OpenRow | Response {
  const row = store.row(Number(c.req.param("row")));
  const account = row === undefined ? undefined : store.account(row.id_account);
  if (row === undefined || account === undefined) return refuse(404, "not_found", "No such row.");
  const bank = store.bankRow(row.bank_row);
  if (bank?.removed === 1) return refuse(409, "gone", "The bank has taken this row back already.");
  return { row, doc: docOf(bank ?? row), idConnection: account.id_connection };
}

/** Ends a change of a row: resend it or not, announce, show what the API shows now. */
async function finishRow(
  services: Services,
  c: SandboxContext,
  open: OpenRow,
  bankRow: number,
  input: { sync: boolean; webhook: boolean; resend?: boolean | undefined },
): Promise<Response> {
  const { store } = services;
  if (input.resend ?? store.setting("resend_changed") === "true") {
    store.run("UPDATE rows SET pushed = 0 WHERE id = ?", open.row.id);
  }
  const announcement = await announce(services, open.idConnection, input, c.var.nowMs);
  const copy = store.first<RowRecord>(
    "SELECT * FROM rows WHERE bank_row = ? AND id_account = ? ORDER BY id DESC LIMIT 1",
    bankRow,
    open.row.id_account,
  );
  return jsonResponse({
    connection_id: open.idConnection,
    row: copy === undefined ? null : transactionBody(copy),
    ...announcement,
  });
}

function mountRows(app: SandboxApp, services: Services): void {
  const { store } = services;
  app.post("/rows/:row/book", async (c) => {
    const open = openRow(services, c);
    if (open instanceof Response) return open;
    const input = await readControl(
      c,
      z.strictObject({
        ...rowDelivery,
        new_id: flag.default(false),
        amount_cents: z.coerce.number().int().min(0).optional(),
        value: decimalText.optional(),
        label: z.string().min(1).optional(),
        date: date.optional(),
      }),
    );
    if (input instanceof Response) return input;
    const sign = open.doc.value.startsWith("-") ? -1 : 1;
    const value = input.value ??
      (input.amount_cents === undefined
        ? open.doc.value
        : amountFromCents(sign * input.amount_cents).text);
    const doc: BankRowDoc = {
      ...open.doc,
      coming: false,
      value: new Amount(value).text,
      label: input.label ?? open.doc.label,
      date: input.date ?? parisDate(c.var.nowMs),
    };
    if (!input.new_id) {
      store.changeBankRow(open.row.bank_row, doc);
      return finishRow(services, c, open, open.row.bank_row, input);
    }
    const account = store.account(open.row.id_account);
    store.removeBankRow(open.row.bank_row);
    return finishRow(services, c, open, store.addBankRow(account?.bank_account ?? 0, doc), input);
  });

  app.post("/rows/:row/amend", async (c) => {
    const open = openRow(services, c);
    if (open instanceof Response) return open;
    const input = await readControl(
      c,
      z.strictObject({
        ...rowDelivery,
        amount_cents: z.coerce.number().int().min(0).optional(),
        value: decimalText.optional(),
        label: z.string().min(1).optional(),
        type: z.string().min(1).optional(),
        date: date.optional(),
        rdate: date.optional(),
        coming: flag.optional(),
        last_update: z.string().regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/u).optional(),
      }),
    );
    if (input instanceof Response) return input;
    const sign = open.doc.value.startsWith("-") ? -1 : 1;
    const value = input.value ??
      (input.amount_cents === undefined
        ? open.doc.value
        : amountFromCents(sign * input.amount_cents).text);
    const doc: BankRowDoc = {
      ...open.doc,
      value: new Amount(value).text,
      label: input.label ?? open.doc.label,
      type: input.type ?? open.doc.type,
      date: input.date ?? open.doc.date,
      rdate: input.rdate ?? open.doc.rdate,
      coming: input.coming ?? open.doc.coming,
    };
    store.changeBankRow(open.row.bank_row, doc);
    if (input.last_update !== undefined) {
      // An older mark than the one sent before: the copy is written here, so that the
      // synchronisation finds nothing to date anew.
      store.run(
        "UPDATE rows SET doc = ?, date = ?, last_update = ?, version = (SELECT version FROM bank_rows WHERE id = rows.bank_row) WHERE id = ?",
        JSON.stringify(doc),
        doc.date,
        input.last_update,
        open.row.id,
      );
    }
    return finishRow(services, c, open, open.row.bank_row, input);
  });

  app.post("/rows/:row/delete", async (c) => {
    const open = openRow(services, c);
    if (open instanceof Response) return open;
    const input = await readControl(c, z.strictObject(rowDelivery));
    if (input instanceof Response) return input;
    store.removeBankRow(open.row.bank_row);
    return finishRow(services, c, open, open.row.bank_row, input);
  });

  app.get("/rows", (c) => {
    const connection = selectConnection(store, {
      connection_id: c.req.query("connection_id") === undefined
        ? undefined
        : Number(c.req.query("connection_id")),
    });
    if (connection === undefined) return refuse(404, "not_found", "No such connection.");
    const limit = Math.min(1000, Number(c.req.query("limit") ?? 50) || 50);
    const rows = store.all<RowRecord>(
      "SELECT r.* FROM rows r JOIN accounts a ON a.id = r.id_account WHERE a.id_connection = ? ORDER BY r.id DESC LIMIT ?",
      connection.id,
      limit,
    );
    return jsonResponse({
      connection_id: connection.id,
      data: rows.map((row) => ({ ...transactionBody(row), pushed: row.pushed === 1 })),
    });
  });
}

function mountAccounts(app: SandboxApp, services: Services): void {
  const { store, webhooks } = services;
  const chosen = (c: SandboxContext) => {
    const account = store.account(Number(c.req.param("account")));
    const connection = account === undefined ? undefined : store.connection(account.id_connection);
    return account === undefined || connection === undefined ? undefined : { account, connection };
  };
  const missing = () => refuse(404, "not_found", "No such account.");

  app.post("/accounts/:account/recreate", async (c) => {
    const found = chosen(c);
    if (found === undefined) return missing();
    const input = await readControl(
      c,
      z.strictObject({ ...delivery, disabled: flag.default(false) }),
    );
    if (input instanceof Response) return input;
    const id = recreateAccount(store, found.account, input.disabled, c.var.nowMs);
    const announcement = await announce(services, found.connection.id, input, c.var.nowMs);
    return c.json({
      connection_id: found.connection.id,
      old_account: found.account.id,
      account: id,
      ...announcement,
    }, 201);
  });

  for (const [path, enable] of [["enable", true], ["disable", false]] as const) {
    app.post(`/accounts/:account/${path}`, async (c) => {
      const found = chosen(c);
      if (found === undefined) return missing();
      const changed = enable
        ? enableAccount(store, found.account)
        : disableAccount(store, found.account, c.var.nowMs);
      if (!changed) return refuse(409, "unchanged", "The account is in that state already.");
      const id = webhooks.enqueueAccount(
        enable ? "account-enabled" : "account-disabled",
        found.account.id,
        found.connection,
        c.var.nowMs,
      );
      return c.json({
        connection_id: found.connection.id,
        account: found.account.id,
        ...report(await webhooks.deliver([id])),
      });
    });
  }

  app.post("/accounts/:account/amend", async (c) => {
    const found = chosen(c);
    if (found === undefined) return missing();
    const input = await readControl(
      c,
      z.strictObject({
        name: z.string().min(1).optional(),
        iban: z.string().nullable().optional(),
        number: z.string().optional(),
        owner: z.string().optional(),
        currency: z.string().regex(/^[A-Z]{3}$/u).optional(),
        balance_cents: z.coerce.number().int().optional(),
      }),
    );
    if (input instanceof Response) return input;
    for (const [name, value] of Object.entries(input)) {
      if (value !== undefined) {
        store.run(
          `UPDATE bank_accounts SET ${name} = ? WHERE id = ?`,
          value,
          found.account.bank_account,
        );
      }
    }
    return jsonResponse(accountBodyOf(store, found.account, found.connection));
  });
}

function mountConnections(app: SandboxApp, services: Services): void {
  const { store, webhooks } = services;
  const chosen = (c: SandboxContext) => {
    const key = c.req.param("connection");
    return selectConnection(store, key === "newest" ? {} : { connection_id: Number(key) });
  };
  const missing = () => refuse(404, "not_found", "No such connection.");

  app.get("/connections/:connection", (c) => {
    const connection = chosen(c);
    return connection === undefined
      ? missing()
      : jsonResponse(connectionBody(store, connection, ["connector", "all_accounts"]));
  });

  app.post("/connections/:connection/state", async (c) => {
    const connection = chosen(c);
    if (connection === undefined) return missing();
    const input = await readControl(
      c,
      z.strictObject({
        state: z.string().nullable(),
        error_message: z.string().nullable().default(null),
        webhook: flag.default(true),
        active: flag.optional(),
      }),
    );
    if (input instanceof Response) return input;
    const state = input.state === "null" || input.state === "" ? null : input.state;
    setConnectionState(store, connection, state, input.error_message, c.var.nowMs);
    if (input.active !== undefined) {
      store.run(
        "UPDATE connections SET active = ? WHERE id = ?",
        input.active ? 1 : 0,
        connection.id,
      );
    }
    if (state === null) {
      return c.json({
        connection_id: connection.id,
        state,
        ...(await announce(
          services,
          connection.id,
          { sync: true, webhook: input.webhook },
          c.var.nowMs,
        )),
      });
    }
    const failed = store.connection(connection.id) ?? connection;
    const ids = input.webhook ? [webhooks.enqueueConnectionSynced(failed, c.var.nowMs)] : [];
    return c.json({ connection_id: connection.id, state, ...report(await webhooks.deliver(ids)) });
  });

  app.post("/connections/:connection/sync", async (c) => {
    const connection = chosen(c);
    if (connection === undefined) return missing();
    const input = await readControl(
      c,
      z.strictObject({ webhook: flag.default(true), resend_all: flag.default(false) }),
    );
    if (input instanceof Response) return input;
    if (input.resend_all) {
      store.run(
        "UPDATE rows SET pushed = 0 WHERE id_account IN (SELECT id FROM accounts WHERE id_connection = ?)",
        connection.id,
      );
    }
    if (connection.state !== null) {
      const ids = input.webhook ? [webhooks.enqueueConnectionSynced(connection, c.var.nowMs)] : [];
      return c.json({
        connection_id: connection.id,
        state: connection.state,
        ...report(await webhooks.deliver(ids)),
      });
    }
    return c.json({
      connection_id: connection.id,
      state: null,
      ...(await announce(
        services,
        connection.id,
        { sync: true, webhook: input.webhook },
        c.var.nowMs,
      )),
    });
  });

  app.post("/connections/:connection/renew", async (c) => {
    const connection = chosen(c);
    if (connection === undefined) return missing();
    renewConsent(store, connection, c.var.nowMs);
    return c.json({
      connection_id: connection.id,
      ...(await announce(services, connection.id, { sync: true, webhook: true }, c.var.nowMs)),
    });
  });
}

/** Settings that hold for everything until changed. */
function mountSettings(app: SandboxApp, { store }: Services): void {
  app.post("/settings", async (c) => {
    const waitMs = z.coerce.number().int().min(50).max(120_000).optional();
    const input = await readControl(
      c,
      z.strictObject({
        resend_changed: flag.optional(),
        account_synced: flag.optional(),
        no_account_status: z.coerce.number().refine((value) => value === 400 || value === 409)
          .optional(),
        timeout_ms: waitMs,
        retry_ms: waitMs,
      }),
    );
    if (input instanceof Response) return input;
    for (const [name, value] of Object.entries(input)) store.putSetting(name, String(value));
    const settings = store.all<{ name: string; value: string }>(
      "SELECT * FROM settings WHERE instr(name, ':') = 0 ORDER BY name",
    );
    return new Response(
      writeJson(Object.fromEntries(settings.map(({ name, value }) => [name, value]))),
      { headers: { "content-type": "application/json" } },
    );
  });
}

/** Mounts the controls over rows, accounts, connections and settings. */
export function mountLife(app: SandboxApp, services: Services): void {
  mountRows(app, services);
  mountAccounts(app, services);
  mountConnections(app, services);
  mountSettings(app, services);
}
