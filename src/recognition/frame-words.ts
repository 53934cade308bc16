// The words of bank heads and tails, as sets of the lexicon's numbers, so that reading a frame
// compares no texts. A set is named by its words, or by what they have in common. Data only.

import { wordSet } from "./scan.ts";
import type { WordSet } from "./scan.ts";

export const ABROAD = wordSet("GB US DE ES IT BE NL LU IE CH");
export const ACH = wordSet("ACH");
export const ACHAT = wordSet("ACHAT");
export const ACHATS_FACTURES = wordSet("ACHATS FACTURES");
export const ACH_FR_CB = wordSet("ACH FR CB");
export const AT_TIME = wordSet("A");
export const AT_WITHDRAWAL_ADVANCE = wordSet("AT WITHDRAWAL ADVANCE");
export const BANCAIRE = wordSet("BANCAIRE");
export const BANCAIRE_BLEUE = wordSet("BANCAIRE BLEUE");
export const CANCELLED = wordSet("ANN ANNUL ANNULATION EXTOURNE CONTREPASSATION");
export const CANCELLED_WHAT = wordSet("DE D PAIEMENT ACHAT FACTURE PAR");
export const CARD_WORDS = wordSet("CARTE CARTES CB");
export const CARTE = wordSet("CARTE");
export const CARTE_CARTES = wordSet("CARTE CARTES");
export const CARTE_CB = wordSet("CARTE CB");
export const CASH_ALONE = wordSet("RETRAIT RETRAITS DAB GAB WITHDRAWAL");
export const CASH_HEADS = wordSet("RETRAIT RETRAITS RET DAB GAB CASH WITHDRAWAL ATM");
export const CB = wordSet("CB");
export const CB_PSC_MOB = wordSet("CB PSC MOB");
export const CHEQUE_CHQ = wordSet("CHEQUE CHQ");
export const COMMERCE = wordSet("COMMERCE");
export const CONTACT = wordSet("CONTACT");
export const CREDIT = wordSet("CREDIT");
export const CURRENCIES = wordSet("EUR USD GBP CHF");
export const CUT_CARTE = wordSet("CAR CART CA C");
export const DAB_GAB = wordSet("DAB GAB");
export const AFTER_RET = wordSet("DAB GAB DU INTERNAT INTERNATIONAL ESP ESPECES CB CARTE ETRANGER");
export const DEBIT = wordSet(
  "PRLV PRELV PRELEV PRELEVEMENT PRELEVEMENTS PREL PRLVT PRVT PRELVT PLVT SDD DOMICILIATION TIPSEPA PRV PRLVM PRELVM",
);
export const DEPENSES_COTISATION = wordSet("DEPENSES COTISATION");
export const DU = wordSet("DU");
export const DU_LE = wordSet("DU LE");
export const ELECTRONIQUE = wordSet("ELECTRONIQUE");
export const ER = wordSet("ER");
export const ETRANG = wordSet("ETRANG");
export const E_INST = wordSet("E INST");
export const FAC = wordSet("FAC");
export const FACT = wordSet("FACT");
export const FACTURE = wordSet("FACTURE");
export const FACTURETTES_DEBIT_DIFFERE = wordSet("FACTURETTES DEBIT DIFFERE");
export const HOUR = wordSet("H");
export const INTERNET = wordSet("INTERNET");
export const INTERNET_MOBILE = wordSet("INTERNET MOBILE");
export const LE = wordSet("LE");
export const NOT_A_CARD_ROW = wordSet("RETRAIT PRLV VIR PRELEVEMENT VIREMENT COMMISSION FRAIS");
export const NUMBERED = wordSet("CHEQUE CHQ PRET REMISE ECH");
export const NUMERO_NO_N = wordSet("NUMERO NO N");
export const OPENS_AGAIN = wordSet(
  "CARTE CB PAIEMENT ACHAT FACTURE PAYWEB RETRAIT RET AVOIR REMBT REMBOURST",
);
export const OPERATION = wordSet("OPERATION");
export const ORDINALS = wordSet("ER E EME ERE");
export const OTHER_ALONE = wordSet(
  "FRAIS COMMISSION COMMISSIONS COTISATION COTISATIONS COTIS CION AGIOS INTERETS FACTURETTES ARRETE ECHEANCE ECHEANCES REGULARISATION",
);
export const PAIEMENT = wordSet("PAIEMENT");
export const PAIEMENT_PAIEMENTS = wordSet("PAIEMENT PAIEMENTS");
export const PAR = wordSet("PAR");
export const PAR_DE = wordSet("PAR DE");
export const PAYWEB = wordSet("PAYWEB");
export const PE = wordSet("PE");
export const PRLV_PRELEVEMENT = wordSet("PRLV PRELEVEMENT");
export const PSC_MOB_SC = wordSet("PSC MOB SC");
export const PURCHASE_HEADS = wordSet("ACHAT ACHATS FACTURE FACTURES FAC");
export const REFUNDED_WHAT = wordSet("ACHAT PAIEMENT PAR SUR");
export const REFUND_HEADS = wordSet(
  "AVOIR REMBOURST REMBOURSEMENT REMBT REMB RBT RMBT CREDIT ANN ANNUL ANNULATION EXTOURNE CONTREPASSATION",
);
export const REFUSED = wordSet("REJET REJETE IMPAYE RETOUR AVIS");
export const RETURNED = wordSet("RETOUR");
export const REFUND_MARKS = wordSet("REMBT REMB REMBOURSEMENT REMBOURST RBT RMBT");
export const REMISE = wordSet("REMISE");
export const REPAID = wordSet("REMB RBT RMBT REMBOURSEMENT");
export const REPAID_BY_OTHERS = wordSet("PRET DE CPAM CREDIT FRAIS");
export const RET = wordSet("RET");
export const RETRAIT_RETRAITS = wordSet("RETRAIT RETRAITS");
export const SANS = wordSet("SANS");
export const SEPA = wordSet("SEPA");
export const SUR = wordSet("SUR");
export const TIERS_QUART_PAIEMENT = wordSet("TIERS QUART PAIEMENT");
export const TIP = wordSet("TIP");
export const TRANSFER = wordSet(
  "VIR VIRT VRT VIREMENT VIREMENTS EVI VIRSEPA VIRINST TRANSFERT TRANSFERTS TRANSFER VIREMT VRMT TRSF",
);
export const VIREMENT_VIR = wordSet("VIREMENT VIR");
export const VIR_VIREMENT = wordSet("VIR VIREMENT");
export const VISA_MASTERCARD = wordSet("VISA MASTERCARD");
export const WALLET_OR_CARD = wordSet("PSC MOB CB SC");
export const TOP = wordSet("TOP");
export const INST_TRANSFER = wordSet("INST INSTANT CREDIT TRANSFER VIREMENT VIR");
export const DIRECT_DEBIT = wordSet("DIRECT DEBIT PRLV PRELEVEMENT");
export const WERO_PAYLIB = wordSet("WERO PAYLIB");

/**
 * First words of movements that only count with one of these behind them: "CHEQUE EMIS", not
 * "CHEQUE DEJEUNER".
 */
export const OTHER_PAIRS: Readonly<Record<string, WordSet>> = {
  F: wordSet("COTISATION COTIS COMMISSION PAIEMENT RETRAIT TENUE VIREMENT"),
  COM: wordSet("PAIEMENT PAIEMENTS RETRAIT RETRAITS CARTE CB VIREMENT VIR INTERVENTION"),
  INT: wordSet("DEBITEURS DEBITEUR CREDITEURS CREDITEUR"),
  TOTAL: wordSet("ACHATS FACTURES FACTURETTES DEPENSES PAIEMENTS OPERATIONS"),
  PRIME: wordSet("ASSURANCE ASSURANCES ASSUR"),
  ASSURANCE: wordSet("MOYENS CARTE CARTES COMPTE"),
  ABONNEMENT: wordSet("BANQUE OPTION INTERNET SERVICES SMS COMPTE CARTE"),
  ABON: wordSet("BANQUE OPTION INTERNET SERVICES SMS COMPTE CARTE"),
  FORFAIT: wordSet("COMPTE FRAIS BANCAIRE BANQUE MENSUEL"),
  REM: wordSet("CHQ CHEQUE CHEQUES CB CARTE ESPECES"),
  REGUL: wordSet("FRAIS AGIOS INTERETS COMMISSION COTISATION DE"),
  DROITS: wordSet("DE GARDE"),
  SOUSCRIPTION: wordSet("PART PARTS"),
  OPPOSITION: wordSet("CARTE CB CHEQUE CHEQUES CHQ"),
  MENSUALITE: wordSet("PRET CREDIT"),
  REJET: wordSet("CHEQUE CHQ"),
  IMPAYE: wordSet("CHEQUE CHQ"),
  RELEVE: wordSet("CARTE CB DE DIFFERE"),
  REG: wordSet("RELEVE"),
  REGLEMENT: wordSet("CARTE CARTES CB RELEVE DEBIT"),
  DEPENSES: wordSet("CARTE CARTES CB"),
  DEBIT: wordSet("MENSUEL DIFFERE CARTE CARTES CB"),
  CHEQUE: wordSet("EMIS N NO NUMERO"),
  CHEQUES: wordSet("EMIS"),
  CHQ: wordSet("EMIS N NO NUMERO"),
  REMISE: wordSet("CHEQUE CHEQUES CHQ CB CARTE ESPECES DE"),
  VERSEMENT: wordSet("ESPECES EXPRESS DAB GAB DE"),
  DEPOT: wordSet("ESPECES CHEQUE DAB GAB"),
  PRET: wordSet("IMMO IMMOBILIER HABITAT PERSONNEL ETUDIANT CONSO N NO"),
  ECH: wordSet("PRET CREDIT"),
  MONTANT: wordSet("CARTE FACTURETTES"),
};
