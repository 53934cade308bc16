// Controls that move money at the bank: purchases, refunds, transfers, direct debits, withdrawals,
// salaries, monthly summaries. Each adds bank rows and then announces them; labels follow a bank's
// habit unless the caller gives one.
import { z } from "zod";
import { announce } from "./announce.ts";
import { markSummarised } from "./bank.ts";
import { connectorOf } from "./connectors.ts";
import type { ChosenAccount } from "./control-input.ts";
import {
  date,
  delivery,
  flag,
  readControl,
  refuse,
  selectAccount,
  selector,
} from "./control-input.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import { plainRow, salaryRow, summaryRow } from "./history.ts";
import type { CardOperation } from "./labels.ts";
import { bankFormats, plainUpper, purchaseLabel, refundLabel, withdrawalLabel } from "./labels.ts";
import type { BankRowDoc, BankRowRecord, RowRecord } from "./model.ts";
import { addDays, endOfMonth, parisDate } from "./powens-time.ts";
import type { Store } from "./store.ts";
import { docOf } from "./store.ts";
import { Amount, amountFromCents, centsOf } from "./wire.ts";

const cents = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const decimalText = z.coerce.string().regex(
  /^-?\d{1,16}(\.\d{1,12})?$/u,
  "must be a decimal number",
);

const common = {
  ...selector,
  ...delivery,
  label: z.string().min(1).max(500).optional(),
  date: date.optional(),
  rdate: date.optional(),
  count: z.coerce.number().int().min(1).max(5000).default(1),
};
const card = {
  ...common,
  amount_cents: cents.optional(),
  /** Exact decimal text with its sign, for amounts that no card should have. */
  value: decimalText.optional(),
  merchant: z.string().min(1).max(200).optional(),
  brand: z.string().min(1).max(200).optional(),
  town: z.string().max(100).default("75011"),
  bank_format: z.enum(bankFormats).optional(),
  type: z.string().min(1).max(40).optional(),
  currency: z.string().regex(/^[A-Z]{3}$/u).optional(),
  original_amount: cents.optional(),
  pending: flag.default(false),
  books_in_days: z.coerce.number().int().min(0).max(400).optional(),
};
const purchaseInput = z.strictObject(card);
const refundInput = z.strictObject({ ...card, row: z.coerce.number().int().optional() });
type CardInput = z.output<typeof refundInput>;

const cardNumbers = { checking: "2335", card: "8807", livret_a: "0000" } as const;

/** Adds bank rows, moves the balance, notifies the product, and reports the aggregator's rows. */
async function post(
  services: Services,
  c: SandboxContext,
  chosen: ChosenAccount,
  docs: readonly BankRowDoc[],
  reach: { sync: boolean; webhook: boolean },
  booksOn: string | null = null,
): Promise<Response> {
  const { store } = services;
  const ids = docs.map((doc) => store.addBankRow(chosen.bank.id, doc, booksOn));
  const moved = docs.reduce(
    (sum, doc) => sum + (doc.coming || doc.value.length > 14 ? 0 : centsOf(doc.value)),
    0,
  );
  store.addBalance(chosen.bank.id, moved);
  const announcement = await announce(services, chosen.connection.id, reach, c.var.nowMs);
  return c.json({
    connection_id: chosen.connection.id,
    account: chosen.account.id,
    account_disabled: chosen.account.disabled !== null,
    rows: rowsOf(store, chosen.account.id, ids, docs),
    ...announcement,
  }, 201);
}

function rowsOf(
  store: Store,
  idAccount: number,
  bankRows: readonly number[],
  docs: readonly BankRowDoc[],
): object[] {
  return bankRows.map((bankRow, index) => {
    const copy = store.first<RowRecord>(
      "SELECT * FROM rows WHERE bank_row = ? AND id_account = ? ORDER BY id DESC LIMIT 1",
      bankRow,
      idAccount,
    );
    const doc = docs[index];
    return {
      id: copy?.id ?? null,
      date: doc?.date,
      rdate: doc?.rdate,
      value: doc === undefined ? null : Number(doc.value),
      type: doc?.type,
      original_wording: doc?.label,
      coming: doc?.coming,
    };
  });
}

/** The row of a card operation; `sign` is -1 for purchases, +1 for refunds. */
function cardDoc(input: CardInput, chosen: ChosenAccount, sign: -1 | 1, nowMs: number): BankRowDoc {
  const rdate = input.rdate ?? input.date ?? parisDate(nowMs);
  const merchant = input.merchant ?? input.brand ?? "Monoprix";
  const number = cardNumbers[chosen.bank.kind];
  const format = input.bank_format ?? connectorOf(chosen.connection.connector_uuid).format;
  const operation: CardOperation = { merchant, town: input.town, date: rdate, card: number };
  const written = sign === -1 ? purchaseLabel(format, operation) : refundLabel(format, operation);
  const amount = input.value === undefined
    ? amountFromCents(sign * (input.amount_cents ?? 3490))
    : new Amount(input.value);
  const original = input.currency === undefined
    ? null
    : amountFromCents(sign * (input.original_amount ?? input.amount_cents ?? 3490)).text;
  return {
    date: input.date ?? rdate,
    rdate,
    value: amount.text,
    type: input.type ?? (chosen.bank.kind === "card" ? "deferred_card" : "card"),
    label: input.label ?? written,
    clean: input.label === undefined ? plainUpper(merchant) : plainUpper(input.label),
    coming: input.pending,
    card: `497412XXXXXX${number}`,
    counterparty: null,
    original_value: original,
    original_currency: input.currency ?? null,
  };
}

function cardControl(services: Services, sign: -1 | 1) {
  return async (c: SandboxContext): Promise<Response> => {
    const read = await readControl(c, sign === -1 ? purchaseInput : refundInput);
    if (read instanceof Response) return read;
    let input: CardInput = read;
    if (input.row !== undefined) {
      const row = services.store.row(input.row);
      if (row === undefined) return refuse(404, "not_found", "No such row.");
      const doc = docOf(row);
      input = {
        amount_cents: Math.abs(centsOf(doc.value)),
        merchant: doc.clean,
        account: row.id_account,
        ...Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)),
      } as CardInput;
    }
    const chosen = selectAccount(services.store, input, "checking");
    if (chosen instanceof Response) return chosen;
    const doc = cardDoc(input, chosen, sign, c.var.nowMs);
    const booksOn = input.pending && input.books_in_days !== undefined
      ? addDays(parisDate(c.var.nowMs), input.books_in_days)
      : null;
    return post(
      services,
      c,
      chosen,
      Array.from({ length: input.count }, () => doc),
      input,
      booksOn,
    );
  };
}

interface PlainControl {
  readonly path: string;
  readonly type: string;
  readonly defaultCents: number;
  readonly label: (input: { merchant?: string | undefined }, day: string) => string;
}

const plainInput = z.strictObject({
  ...common,
  amount_cents: cents.optional(),
  value: decimalText.optional(),
  merchant: z.string().min(1).max(200).optional(),
  incoming: flag.default(false),
});

const plainControls: readonly PlainControl[] = [
  {
    path: "/transfers",
    type: "transfer",
    defaultCents: 5000,
    label: (input) =>
      `VIR SEPA EMIS /MOTIF CADEAU /BEN ${plainUpper(input.merchant ?? "M LEROY HUGO")} /REFDO`,
  },
  {
    path: "/direct-debits",
    type: "order",
    defaultCents: 1999,
    label: (input) => `PRLV SEPA ${plainUpper(input.merchant ?? "FREE MOBILE")}`,
  },
];

function mountPlain(app: SandboxApp, services: Services): void {
  for (const control of plainControls) {
    app.post(control.path, async (c) => {
      const input = await readControl(c, plainInput);
      if (input instanceof Response) return input;
      const chosen = selectAccount(services.store, input, "checking");
      if (chosen instanceof Response) return chosen;
      const day = input.date ?? parisDate(c.var.nowMs);
      const sign = input.incoming ? 1 : -1;
      const label = input.label ??
        (input.incoming && control.type === "transfer"
          ? `VIR SEPA RECU /DE ${plainUpper(input.merchant ?? "M LEROY HUGO")}`
          : control.label(input, day));
      const row = plainRow({
        date: day,
        cents: sign * (input.amount_cents ?? control.defaultCents),
        type: control.type,
        label,
        counterparty: {
          label: plainUpper(input.merchant ?? "M LEROY HUGO"),
          account_scheme_name: "iban",
          account_identification: "EX5530004000700008000900031",
          type: input.incoming ? "debtor" : "creditor",
        },
      });
      const doc = {
        ...row,
        rdate: input.rdate ?? day,
        ...(input.value === undefined ? {} : { value: new Amount(input.value).text }),
      };
      return post(services, c, chosen, Array.from({ length: input.count }, () => doc), input);
    });
  }
}

function mountCashAndSalary(app: SandboxApp, services: Services): void {
  app.post("/withdrawals", async (c) => {
    const input = await readControl(
      c,
      z.strictObject({
        ...common,
        amount_cents: cents.default(6000),
        town: z.string().default("Paris Voltaire"),
        bank_format: z.enum(bankFormats).optional(),
      }),
    );
    if (input instanceof Response) return input;
    const chosen = selectAccount(services.store, input, "checking");
    if (chosen instanceof Response) return chosen;
    const day = input.date ?? parisDate(c.var.nowMs);
    const format = input.bank_format ?? connectorOf(chosen.connection.connector_uuid).format;
    const label = input.label ??
      withdrawalLabel(format, { merchant: "", town: input.town, date: day, card: "2335" });
    const doc = {
      ...plainRow({ date: day, cents: -input.amount_cents, type: "withdrawal", label }),
      card: "497412XXXXXX2335",
      rdate: input.rdate ?? day,
    };
    return post(services, c, chosen, Array.from({ length: input.count }, () => doc), input);
  });
  app.post("/salaries", async (c) => {
    const input = await readControl(
      c,
      z.strictObject({ ...common, amount_cents: cents.default(231_742) }),
    );
    if (input instanceof Response) return input;
    const chosen = selectAccount(services.store, input, "checking");
    if (chosen instanceof Response) return chosen;
    const row = salaryRow(input.date ?? parisDate(c.var.nowMs), input.amount_cents);
    return post(services, c, chosen, [{ ...row, label: input.label ?? row.label }], input);
  });
}

/** What the deferred card has spent in the month of `day`, in cents (negative). */
export function deferredTotalCents(store: Store, cardBankAccount: number, day: string): number {
  return store.all<BankRowRecord>(
    "SELECT * FROM bank_rows WHERE bank_account = ? AND removed = 0",
    cardBankAccount,
  )
    .map(docOf).filter((doc) =>
      doc.rdate.slice(0, 7) === day.slice(0, 7) && doc.type === "deferred_card"
    )
    .reduce((sum, doc) => sum + centsOf(doc.value), 0);
}

function mountSummaries(app: SandboxApp, services: Services): void {
  app.post("/summaries", async (c) => {
    const input = await readControl(
      c,
      z.strictObject({
        ...selector,
        ...delivery,
        label: z.string().optional(),
        date: date.optional(),
        amount_cents: cents.optional(),
      }),
    );
    if (input instanceof Response) return input;
    const debited = selectAccount(services.store, { ...input, account: "checking" }, "checking");
    if (debited instanceof Response) return debited;
    const cardAccount = services.store.bankAccountsOf(debited.bank.customer).find(({ kind }) =>
      kind === "card"
    );
    const day = input.date ?? endOfMonth(parisDate(c.var.nowMs));
    const total = input.amount_cents === undefined
      ? deferredTotalCents(services.store, cardAccount?.id ?? 0, day)
      : -input.amount_cents;
    if (cardAccount !== undefined) markSummarised(services.store, cardAccount.id, endOfMonth(day));
    const row = summaryRow(day > parisDate(c.var.nowMs) ? parisDate(c.var.nowMs) : day, total);
    return post(services, c, debited, [{ ...row, label: input.label ?? row.label }], input);
  });
}

/** Mounts the controls that add rows. */
export function mountMoney(app: SandboxApp, services: Services): void {
  app.post("/purchases", cardControl(services, -1));
  app.post("/refunds", cardControl(services, 1));
  mountPlain(app, services);
  mountCashAndSalary(app, services);
  mountSummaries(app, services);
}
