// The words of bank tails and of the pieces in head patterns, as sets of the lexicon's numbers, so
// that reading compares no texts. A set is named by its words, or by what they have in common. Data
// only.

import { wordSet } from "./scan.ts";

export const ABROAD = wordSet("FR GB US DE ES IT BE NL LU IE CH");
export const ACHAT = wordSet("ACHAT");
export const CARTE = wordSet("CARTE");
export const CB = wordSet("CB");
export const CB_PSC_MOB = wordSet("CB PSC MOB");
export const COMMERCE = wordSet("COMMERCE");
export const CURRENCIES = wordSet("EUR USD GBP CHF");
export const CUT_CARTE = wordSet("CAR CART CA C");
/** What holders put for the date when they publish a label. */
export const DATE_PLACEHOLDER = wordSet("DDMMYY DDMMAA");
export const DU = wordSet("DU");
export const ELECTRONIQUE = wordSet("ELECTRONIQUE");
export const ETRANG = wordSet("ETRANG");
export const EURO = wordSet("EURO");
export const FACT = wordSet("FACT");
export const HOUR = wordSet("H");
export const LE = wordSet("LE");
export const NUMERO_NO_N = wordSet("NUMERO NO N");
export const OPENS_AGAIN = wordSet(
  "CARTE CB PAIEMENT ACHAT FACTURE PAYWEB RETRAIT RET AVOIR REMBT REMBOURST",
);
export const PAIEMENT = wordSet("PAIEMENT");
export const PAYWEB = wordSet("PAYWEB");
export const TOP = wordSet("TOP");
export const BY = wordSet("BY");
