// The invented past of a bank customer: salaries, rent, direct debits, cash and card purchases, the
// same again for the same login, so that a connection made anew finds the same rows. Pure: seeded
// by the customer, dated by the caller.
import type { BankFormat } from "./labels.ts";
import { plainUpper, purchaseLabel, withdrawalLabel } from "./labels.ts";
import type { AccountKind, BankRowDoc, Counterparty } from "./model.ts";
import { addDays, endOfMonth, monthsBefore } from "./powens-time.ts";
import { amountFromCents, centsOf } from "./wire.ts";

/** A seeded source of numbers in [0, 1): the same seed gives the same life. */
export function seededNumbers(seed: string): () => number {
  let state = 2_166_136_261;
  for (let index = 0; index < seed.length; index += 1) {
    state = Math.imul(state ^ seed.charCodeAt(index), 16_777_619);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const shops = [
  ["Monoprix", "75011", 2200, 6400],
  ["Boulangerie Ferrand", "Paris", 210, 890],
  ["Carrefour City", "Paris 11", 900, 4200],
  ["Pharmacie du Canal", "Paris", 480, 3900],
  ["SNCF Internet", "", 1900, 12_000],
  ["Decathlon 468", "Bercy", 1500, 9000],
  ["Fnac", "Paris", 1200, 15_000],
  ["Cafe de la Mairie", "Paris", 260, 1450],
  ["Leroy Merlin", "Ivry sur Seine", 1800, 14_000],
  ["Picard SA 0173", "Paris", 1100, 5200],
  ["Librairie Millepages", "Vincennes", 900, 4100],
  ["Sephora", "Paris", 1900, 8000],
] as const;

/** A row to add to one of the customer's accounts. */
interface HistoryRow {
  readonly kind: AccountKind;
  readonly doc: BankRowDoc;
}

/** The plain parts of a row that is no card operation. */
interface PlainRow {
  readonly date: string;
  readonly cents: number;
  readonly type: string;
  readonly label: string;
  readonly counterparty?: Counterparty;
}

/** A transfer, direct debit, salary or summary. */
export function plainRow(row: PlainRow): BankRowDoc {
  return {
    date: row.date,
    rdate: row.date,
    value: amountFromCents(row.cents).text,
    type: row.type,
    label: row.label,
    clean: plainUpper(row.label),
    coming: false,
    card: null,
    counterparty: row.counterparty ?? null,
    original_value: null,
    original_currency: null,
  };
}

/** The monthly total of a deferred card, as it is debited from the checking account. */
export function summaryRow(date: string, cents: number): BankRowDoc {
  return plainRow({ date, cents, type: "summary_card", label: "DEBIT MENSUEL CARTE" });
}

/** The salary of the month of `date`. */
export function salaryRow(date: string, cents: number): BankRowDoc {
  return plainRow({
    date,
    cents,
    type: "transfer",
    label: `VIR SEPA RECU /DE ATELIERS FICTIFS SARL /MOTIF SALAIRE ${date.slice(5, 7)}/${
      date.slice(0, 4)
    } /REF 0042`,
    counterparty: {
      label: "ATELIERS FICTIFS SARL",
      account_scheme_name: "iban",
      account_identification: "EX3530002000550000000000042",
      type: "debtor",
    },
  });
}

function cardRow(
  format: BankFormat,
  random: () => number,
  date: string,
  deferred: boolean,
): BankRowDoc {
  const shop = shops[Math.floor(random() * shops.length)] ?? shops[0];
  const [merchant, town, least, most] = shop;
  const cents = least + Math.floor(random() * (most - least));
  const card = deferred ? "8807" : "2335";
  return {
    date: deferred ? date : addDays(date, 1),
    rdate: date,
    value: amountFromCents(-cents).text,
    type: deferred ? "deferred_card" : "card",
    label: purchaseLabel(format, { merchant, town, date, card }),
    clean: plainUpper(merchant),
    coming: false,
    card: `497412XXXXXX${card}`,
    counterparty: null,
    original_value: null,
    original_currency: null,
  };
}

/** Rent, telephone, electricity, cash, salary and savings: the same every month. */
function regularRows(format: BankFormat, day: (number: number) => string): HistoryRow[] {
  const rent = plainRow({
    date: day(3),
    cents: -84_000,
    type: "transfer",
    label: "VIR SEPA EMIS /MOTIF LOYER /BEN MME MARTIN CLAIRE /REFDO",
    counterparty: {
      label: "MME MARTIN CLAIRE",
      account_scheme_name: "iban",
      account_identification: "EX7630004000310001234567843",
      type: "creditor",
    },
  });
  const telephone = plainRow({
    date: day(5),
    cents: -1999,
    type: "order",
    label: "PRLV SEPA FREE MOBILE",
    counterparty: {
      label: "FREE MOBILE",
      account_scheme_name: "iban",
      account_identification: "EX6630003000400005000600070",
      type: "creditor",
    },
  });
  const electricity = plainRow({
    date: day(8),
    cents: -6450,
    type: "order",
    label: "PRLV SEPA TOTAL DIRECT ENERGIE",
  });
  const savings = plainRow({
    date: day(6),
    cents: 10_000,
    type: "transfer",
    label: "VIR EPARGNE MENSUELLE",
  });
  return [
    { kind: "checking", doc: rent },
    { kind: "checking", doc: telephone },
    { kind: "checking", doc: electricity },
    { kind: "checking", doc: cashRow(format, day(12)) },
    { kind: "checking", doc: salaryRow(day(28), 231_742) },
    { kind: "livret_a", doc: savings },
  ];
}

function cashRow(format: BankFormat, date: string): BankRowDoc {
  const card = "2335";
  const label = withdrawalLabel(format, { merchant: "", town: "Paris Voltaire", date, card });
  return {
    ...plainRow({ date, cents: -6000, type: "withdrawal", label }),
    card: `497412XXXXXX${card}`,
  };
}

/** The card purchases of a month, and the monthly total of the deferred card. */
function cardRows(
  format: BankFormat,
  random: () => number,
  day: (number: number) => string,
  lastDay: string,
): HistoryRow[] {
  const randomDay = () => day(1 + Math.floor(random() * 26));
  const rows: HistoryRow[] = [];
  for (let purchase = 0; purchase < 12; purchase += 1) {
    rows.push({ kind: "checking", doc: cardRow(format, random, randomDay(), false) });
  }
  let deferredCents = 0;
  for (let purchase = 0; purchase < 6; purchase += 1) {
    const doc = cardRow(format, random, randomDay(), true);
    deferredCents += centsOf(doc.value);
    rows.push({ kind: "card", doc });
  }
  rows.push({ kind: "checking", doc: summaryRow(lastDay, deferredCents) });
  return rows;
}

/**
 * The rows of the `months` full months before the month of `today`, and of this month up to
 * yesterday; oldest first. Every date is before today, so all of them are older than the consent.
 */
export function inventHistory(
  customer: string,
  format: BankFormat,
  today: string,
  months: number,
): HistoryRow[] {
  const rows: HistoryRow[] = [];
  for (let back = months; back >= 0; back -= 1) {
    const first = monthsBefore(today, back);
    // Seeded by month, so that a connection made anew a month later still finds the old months
    // unchanged.
    const random = seededNumbers(`${customer}|${first}`);
    const day = (number: number) => addDays(first, number - 1);
    const month = [
      ...regularRows(format, day),
      ...cardRows(format, random, day, endOfMonth(first)),
    ];
    rows.push(...month.filter(({ doc }) => doc.date < today));
  }
  return rows.sort((
    one,
    other,
  ) => (one.doc.date < other.doc.date ? -1 : Number(one.doc.date > other.doc.date)));
}
