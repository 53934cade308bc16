// Which real account an aggregator's account id names (DESIGN.md section 4, "Which rows are
// the same"). Pure. The IBAN goes into a keyed hash and nowhere else.
import { keyedIndex } from "../../kernel/keyring.ts";
import type { Keyring } from "../../kernel/keyring.ts";
import type { RemoteAccount } from "../ports.ts";

export type Fingerprint = {
  readonly fingerprint: string;
  readonly strength: "iban" | "parent" | "weak";
  /**
   * From user, bank and name: what is left to go by when a bank stops giving an IBAN, or starts to.
   */
  readonly weakKey: string;
};

const PURPOSE = "bank_account";

/**
 * Capitals and digits only, or null when it is no IBAN. The test connector's `EX…` counts as one.
 */
export function normaliseIban(text: string | null): string | null {
  const compact = (text ?? "").replace(/[\s.-]/g, "").toUpperCase();
  return /^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/.test(compact) ? compact : null;
}

/**
 * A name without case, accents and doubled blanks: what a bank changes now and then without meaning
 * another account.
 */
export function normaliseName(name: string): string {
  return name.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase().replace(/[^A-Z0-9]+/g, " ")
    .trim();
}

/**
 * The fingerprint of an account: from its IBAN; else from its parent's IBAN and its name; else
 * weak, from user, bank and name, which never reaches beyond that user. `siblings` are the accounts
 * among which the parent is searched.
 */
export function fingerprintOf(
  keyring: Keyring,
  userId: string,
  bankId: string,
  account: RemoteAccount,
  siblings: readonly RemoteAccount[],
): Fingerprint {
  const iban = normaliseIban(account.iban);
  const parent = account.parentRemoteId === null
    ? undefined
    : siblings.find((other) => other.remoteId === account.parentRemoteId);
  const parentIban = parent === undefined ? null : normaliseIban(parent.iban);
  const name = normaliseName(account.name);
  const weakKey = keyedIndex(keyring, PURPOSE, `weak|${userId}|${bankId}|${name}`);
  // A card account that repeats its parent's IBAN is not that account.
  if (iban !== null && iban !== parentIban) {
    return { fingerprint: keyedIndex(keyring, PURPOSE, `iban|${iban}`), strength: "iban", weakKey };
  }
  if (parentIban !== null) {
    return {
      fingerprint: keyedIndex(keyring, PURPOSE, `parent|${parentIban}|${name}`),
      strength: "parent",
      weakKey,
    };
  }
  return { fingerprint: weakKey, strength: "weak", weakKey };
}
