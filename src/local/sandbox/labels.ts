// How French banks write the label of a card row: head, merchant cut short, tail. The shapes follow
// the facts gathered in the project's label study (named after the bank whose habit they show).
// Pure.

/** The habits of labels that the sandbox can imitate. */
export const bankFormats = [
  "simple",
  "bnp",
  "societe_generale",
  "credit_agricole",
  "lcl",
  "credit_mutuel",
  "boursobank",
  "banque_populaire",
  "caisse_epargne",
  "la_banque_postale",
  "fortuneo",
  "axa",
  "n26",
] as const;
export type BankFormat = (typeof bankFormats)[number];

/** What a label says of one card operation. */
export interface CardOperation {
  readonly merchant: string;
  /** Town or postcode as the merchant's terminal knows it; empty for a purchase online. */
  readonly town: string;
  /** Date of the purchase, `YYYY-MM-DD`. */
  readonly date: string;
  /** Last four digits of the card. */
  readonly card: string;
}

/** Upper case without accents, as acquirers send it. */
export function plainUpper(text: string): string {
  return text.normalize("NFD").replaceAll(/\p{M}/gu, "").toUpperCase().replaceAll(/\s+/gu, " ")
    .trim();
}

function capitalised(text: string): string {
  return text.toLowerCase().replaceAll(/(^|[ '-])\p{L}/gu, (start) => start.toUpperCase());
}

interface Parts {
  readonly m: (cut: number) => string;
  readonly town: (cut: number) => string;
  readonly d: string;
  readonly mo: string;
  readonly y: string;
  readonly card: string;
}

const purchaseShapes: Record<BankFormat, (p: Parts) => string> = {
  simple: (p) => `CB ${p.m(20)} ${p.town(13)} ${p.d}/${p.mo}`,
  bnp: (p) =>
    `FACTURE CARTE DU ${p.d}${p.mo}${p.y} ${p.m(15)} ${p.town(13)} CARTE 4974XXXXXXXX${p.card}`,
  societe_generale: (p) => `CARTE X${p.card} ${p.d}/${p.mo} ${p.m(15)}`,
  credit_agricole: (p) =>
    `PAIEMENT PAR CARTE X${p.card} ${
      `${p.m(20)} ${p.town(13)}`.slice(0, 20).trim()
    } ${p.d}/${p.mo}`,
  lcl: (p) => `CB  ${p.m(16).padEnd(16)} ${p.d}/${p.mo}/${p.y}`,
  credit_mutuel: (p) => `PAIEMENT CB ${p.d}${p.mo} ${p.town(13)} ${p.m(17)} CARTE ${p.card}`,
  boursobank: (p) => `CARTE ${p.d}/${p.mo}/${p.y} ${p.m(17)} CB*${p.card}`,
  banque_populaire: (p) => `${p.d}${p.mo}${p.y} CB****${p.card} ${p.m(15)} 39${p.town(13)}`,
  caisse_epargne: (p) => `CB ${p.m(15).padEnd(15)} FACT ${p.d}${p.mo}${p.y}`,
  la_banque_postale: (p) =>
    `ACHAT CB ${p.m(16)} ${p.d}.${p.mo}.${p.y} CARTE NUMERO ${p.card.slice(-3)}`,
  fortuneo: (p) => `CARTE ${p.d}/${p.mo} ${p.m(20)} ${p.town(13)}`,
  axa: (p) => `CARTE ${p.d}/${p.mo} ${p.m(15)}`,
  n26: (p) => capitalised(p.m(30)),
};

const refundShapes: Partial<Record<BankFormat, (p: Parts) => string>> = {
  bnp: (p) =>
    `REMBOURST CB DU ${p.d}${p.mo}${p.y} ${p.m(15)} ${p.town(13)} CARTE 4974XXXXXXXX${p.card}`,
  societe_generale: (p) => `CARTE X${p.card} REMBT ${p.d}/${p.mo} ${p.m(15)}`,
  credit_agricole: (p) => `AVOIR CARTE X${p.card} ${p.m(20)} ${p.d}/${p.mo}`,
  boursobank: (p) => `AVOIR ${p.d}/${p.mo}/${p.y} ${p.m(17)} CB*${p.card}`,
  la_banque_postale: (p) =>
    `CREDIT CARTE BANCAIRE ${p.m(16)} ${p.d}.${p.mo}.${p.y} CARTE NUMERO ${p.card.slice(-3)}`,
  fortuneo: (p) => `ANN CARTE ${p.m(20)} ${p.d}/${p.mo}`,
  axa: (p) => `ANNUL ${p.d}/${p.mo} ${p.m(15)}`,
  n26: (p) => capitalised(p.m(30)),
};

const withdrawalShapes: Partial<Record<BankFormat, (p: Parts) => string>> = {
  bnp: (p) => `RETRAIT DAB ${p.d}/${p.mo}/${p.y} 11H39 00250262 ${p.town(13)} 000497${p.card}`,
  societe_generale: (p) =>
    `CARTE X${p.card} RETRAIT DAB ${p.d}/${p.mo} 11H39 ${p.town(13)} 00250262`,
  credit_agricole: (p) => `RETRAIT AU DISTRIBUTEUR ${p.town(13)} ${p.d}/${p.mo}`,
  lcl: (p) => `CB  RETRAIT DU  ${p.d}/${p.mo}`,
  credit_mutuel: (p) => `RETRAIT DAB ${p.d}${p.mo} ${p.town(13)} CARTE ${p.card}`,
  la_banque_postale: (p) =>
    `CARTE X${p.card} ${p.d}/${p.mo}/${p.y} A 11H39 RETRAIT DAB ${p.town(13)}`,
};

function shape(operation: CardOperation, write: (p: Parts) => string): string {
  const [year = "", month = "", day = ""] = operation.date.split("-");
  const merchant = plainUpper(operation.merchant);
  const town = plainUpper(operation.town);
  const label = write({
    m: (cut) => merchant.slice(0, cut).trim(),
    town: (cut) => town.slice(0, cut).trim(),
    d: day,
    mo: month,
    y: year.slice(-2),
    card: operation.card,
  });
  // An empty town leaves two blanks; LCL and Caisse d'Épargne pad on purpose, so only their heads
  // keep them.
  return label.startsWith("CB  ") || label.includes(" FACT ")
    ? label
    : label.replaceAll(/ {2,}/gu, " ").trim();
}

/** The label of a card purchase. */
export function purchaseLabel(format: BankFormat, operation: CardOperation): string {
  return shape(operation, purchaseShapes[format]);
}

/** The label of a merchant's refund to the card. */
export function refundLabel(format: BankFormat, operation: CardOperation): string {
  return shape(
    operation,
    refundShapes[format] ?? ((p) => `AVOIR CB ${p.m(20)} ${p.town(13)} ${p.d}/${p.mo}`),
  );
}

/** The label of cash taken from a machine. */
export function withdrawalLabel(format: BankFormat, operation: CardOperation): string {
  return shape(
    operation,
    withdrawalShapes[format] ??
      ((p) => `RETRAIT DAB ${p.d}/${p.mo}/${p.y} ${p.town(13)} CB*${p.card}`),
  );
}
