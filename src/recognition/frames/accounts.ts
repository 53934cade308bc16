// Heads of rows that are no purchase: cash, direct debits, transfers, fees and totals. Data only;
// every example is invented. These rows carry no brand, whatever they name.

import type { HeadFrame } from "./types.ts";

const SHARED = "card labels of French banks that their holders published";
const REASONED = "wording of similar rows, not seen on a label";
const DEBIT =
  "PRLV|PRELV|PRELEV|PRELEVEMENT|PRELEVEMENTS|PREL|PRLVT|PRVT|PRELVT|PLVT|SDD|DOMICILIATION|TIPSEPA|PRV|PRLVM|PRELVM";
const TRANSFER =
  "VIR|VIRT|VRT|VIREMENT|VIREMENTS|EVI|VIRSEPA|VIRINST|TRANSFERT|TRANSFERTS|TRANSFER|VIREMT|VRMT|TRSF";
const CANCELLED = "ANN|ANNUL|ANNULATION|EXTOURNE|CONTREPASSATION";
const REPAID = "REMB|RBT|RMBT|REMBOURSEMENT";

export const ACCOUNT_FRAMES: readonly HeadFrame[] = [
  {
    id: "cash",
    kind: "withdrawal",
    heads: [
      "RETRAIT|RETRAITS|DAB|GAB|WITHDRAWAL",
      "RET DAB|GAB|DU|INTERNAT|INTERNATIONAL|ESP|ESPECES|CB|CARTE|ETRANGER|ECLAIR",
      "CASH|ATM AT|WITHDRAWAL|ADVANCE",
      "PRELIEVO|REINTEGRO",
    ],
    source: SHARED,
    certainty: "data",
    example: "RET DAB GAB CENTRE LYON",
    merchant: "",
  },
  {
    id: "cash.card_hour",
    kind: "withdrawal",
    heads: ["CARTE|CB [VISA|MASTERCARD|MASTERCA|CB] [<mask>] [DU|LE] <date> A <hour>"],
    source: SHARED,
    certainty: "data",
    example: "CARTE VISA 12/12/08 A 14H11",
    merchant: "",
  },
  {
    id: "debit",
    kind: "debit",
    heads: [
      DEBIT,
      "PE SEPA",
      "OPERATION",
      `SEPA DIRECT|DEBIT|PRLV|PRELEVEMENT`,
      `<reference> ${DEBIT}`,
      `REJET|REJETE|IMPAYE|RETOUR|AVIS [PAR|DE] ${DEBIT}`,
      "PAIEMENT|PAIEMENTS [PAR] PRLV|PRELEVEMENT",
      "TIP <not-top>",
    ],
    source: SHARED,
    certainty: "data",
    example: "PRLV SEPA KORDALIE",
    merchant: "",
  },
  {
    id: "debit.card_total",
    kind: "other",
    heads: ["PRELEVEMENT|PRLV CARTE [DEPENSES]", "PRELEVEMENT|PRLV DEPENSES CARTE"],
    source: REASONED,
    certainty: "reasoned",
    example: "PRELEVEMENT CARTE DEPENSES CARTE X1234",
    merchant: "",
  },
  {
    id: "transfer",
    kind: "transfer",
    heads: [
      TRANSFER,
      "E|INST VIR|VIREMENT",
      "SEPA INST|INSTANT|CREDIT|TRANSFER|VIREMENT|VIR",
      "CREDIT VIREMENT|VIR",
      `<reference> ${TRANSFER}`,
      `REJET|REJETE|IMPAYE|RETOUR|AVIS [PAR|DE] ${TRANSFER}`,
      "WERO|PAYLIB <not-star>",
    ],
    source: SHARED,
    certainty: "data",
    example: "VIR SEPA RECU /DE KORDALIE",
    merchant: "",
  },
  {
    id: "fee",
    kind: "other",
    heads: [
      "FRAIS|COMMISSION|COMMISSIONS|COTISATION|COTISATIONS|COTIS|CION|AGIOS|INTERETS|FACTURETTES|ARRETE|ECHEANCE|ECHEANCES|REGULARISATION",
      "F COTISATION|COTIS|COMMISSION|PAIEMENT|RETRAIT|TENUE|VIREMENT",
      "COM PAIEMENT|PAIEMENTS|RETRAIT|RETRAITS|CARTE|CB|VIREMENT|VIR|INTERVENTION",
      "INT DEBITEURS|DEBITEUR|CREDITEURS|CREDITEUR",
      "PRIME ASSURANCE|ASSURANCES|ASSUR",
      "ASSURANCE MOYENS|CARTE|CARTES|COMPTE",
      "ABONNEMENT|ABON BANQUE|OPTION|INTERNET|SERVICES|SMS|COMPTE|CARTE",
      "FORFAIT COMPTE|FRAIS|BANCAIRE|BANQUE|MENSUEL",
      "REGUL FRAIS|AGIOS|INTERETS|COMMISSION|COTISATION|DE",
      "DROITS DE|GARDE",
      "MINIMUM FORFAITAIRE",
      "OPPOSITION CARTE|CB|CHEQUE|CHEQUES|CHQ",
      `${CANCELLED} [DE|D] [PAIEMENT|ACHAT|FACTURE] [PAR] RETRAIT|PRLV|VIR|PRELEVEMENT|VIREMENT|COMMISSION|FRAIS`,
    ],
    source: SHARED,
    certainty: "data",
    example: "COMMISSION PAIEMENT PAR CARTE KORDALIE EUR 0,99",
    merchant: "",
  },
  {
    id: "discount",
    kind: "other",
    heads: [
      "REMISE [COMMERCIALE|EXCEPTIONNELLE] CHEQUE|CHEQUES|CHQ|CB|CARTE|ESPECES|DE|SUR|COTISATION|FRAIS|OFFRE",
      "REMISE <end>",
      "REMISE <number>",
      "REMISE COMMERCIALE|EXCEPTIONNELLE",
      "AVANTAGE CARTE|COTISATION|TARIFAIRE|JEUNES|JEUNE|FAMILLE|SUR",
      "REM CHQ|CHEQUE|CHEQUES|CB|CARTE|ESPECES",
    ],
    source: REASONED,
    certainty: "reasoned",
    example: "REMISE SUR COTISATION CARTE",
    merchant: "",
  },
  {
    id: "card_total",
    kind: "other",
    heads: [
      "ACHATS|FACTURES [PAR|DE] CARTE|CARTES|CB",
      "CARTE FACTURETTES|DEBIT|DIFFERE|DEPENSES|COTISATION",
      "TOTAL ACHATS|FACTURES|FACTURETTES|DEPENSES|PAIEMENTS|OPERATIONS",
      "RELEVE CARTE|CB|DE|DIFFERE",
      "REG RELEVE",
      "REGLEMENT CARTE|CARTES|CB|RELEVE|DEBIT",
      "DEPENSES CARTE|CARTES|CB",
      "DEBIT MENSUEL|DIFFERE|CARTE|CARTES|CB",
      "MONTANT CARTE|FACTURETTES",
    ],
    source: SHARED,
    certainty: "data",
    example: "RELEVE CARTE 5338",
    merchant: "",
  },
  {
    id: "cheque_deposit_loan",
    kind: "other",
    heads: [
      "CHEQUE|CHQ EMIS|N|NO|NUMERO",
      "CHEQUES EMIS",
      "CHEQUE|CHQ|PRET|ECH <number>",
      "CHEQUE|CHQ|PRET|ECH <end>",
      "PAIEMENT|PAIEMENTS [PAR] CHEQUE|CHQ",
      "REJET|IMPAYE CHEQUE|CHQ",
      "VERSEMENT ESPECES|EXPRESS|DAB|GAB|DE",
      "DEPOT ESPECES|CHEQUE|DAB|GAB",
      "PRET IMMO|IMMOBILIER|HABITAT|PERSONNEL|ETUDIANT|CONSO|N|NO",
      "ECH PRET|CREDIT",
      "MENSUALITE PRET|CREDIT",
      "SOUSCRIPTION PART|PARTS",
      `${REPAID} PRET|DE|CPAM|CREDIT|FRAIS`,
    ],
    source: REASONED,
    certainty: "reasoned",
    example: "CHEQUE 3739302",
    merchant: "",
  },
];
