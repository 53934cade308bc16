// Controls over the life of a bank row: booked, amended, deleted, listed.
import { z } from "zod";
import { announce } from "./announce.ts";
import { transactionBody, WITHOUT_TIMES } from "./bodies.ts";
import { date, delivery, flag, readControl, refuse, selectConnection } from "./control-input.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import type { BankRowDoc, RowRecord } from "./model.ts";
import { parisDate } from "./powens-time.ts";
import { docOf } from "./store.ts";
import { Amount, amountFromCents, jsonResponse } from "./wire.ts";

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

/** The row's amount after a control: `value` as written, or `amount_cents` with the row's sign. */
function newValue(
  doc: BankRowDoc,
  input: { readonly value?: string | undefined; readonly amount_cents?: number | undefined },
): string {
  const sign = doc.value.startsWith("-") ? -1 : 1;
  const changed = input.amount_cents === undefined
    ? doc.value
    : amountFromCents(sign * input.amount_cents).text;
  return new Amount(input.value ?? changed).text;
}

function mountBooking(app: SandboxApp, services: Services): void {
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
    const doc: BankRowDoc = {
      ...open.doc,
      coming: false,
      value: newValue(open.doc, input),
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
}

function mountAmendment(app: SandboxApp, services: Services): void {
  const { store } = services;
  app.post("/rows/:row/amend", async (c) => {
    const open = openRow(services, c);
    if (open instanceof Response) return open;
    const input = await readControl(
      c,
      z.strictObject({
        ...rowDelivery,
        amount_cents: z.coerce.number().int().min(0).optional(),
        value: decimalText.optional(),
        label: z.string().max(500).optional(),
        type: z.string().min(1).optional(),
        date: date.optional(),
        rdate: date.optional(),
        coming: flag.optional(),
        last_update: z.string().regex(/^(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}|none)$/u)
          .optional(),
      }),
    );
    if (input instanceof Response) return input;
    const doc: BankRowDoc = {
      ...open.doc,
      value: newValue(open.doc, input),
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
        input.last_update === "none" ? WITHOUT_TIMES : input.last_update,
        open.row.id,
      );
    }
    return finishRow(services, c, open, open.row.bank_row, input);
  });
}

function mountDeletion(app: SandboxApp, services: Services): void {
  app.post("/rows/:row/delete", async (c) => {
    const open = openRow(services, c);
    if (open instanceof Response) return open;
    const input = await readControl(c, z.strictObject(rowDelivery));
    if (input instanceof Response) return input;
    services.store.removeBankRow(open.row.bank_row);
    return finishRow(services, c, open, open.row.bank_row, input);
  });
}

function mountList(app: SandboxApp, { store }: Services): void {
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

/** Mounts the controls over rows. */
export function mountRowControls(app: SandboxApp, services: Services): void {
  mountBooking(app, services);
  mountAmendment(app, services);
  mountDeletion(app, services);
  mountList(app, services);
}
