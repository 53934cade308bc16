// Which account of a bank an aggregator's account id shows (DESIGN.md section 4, "Which rows are
// the same"). Pure. IBAN and name go into keyed hashes and nowhere else.
import { keyedIndex } from "../../kernel/keyring.ts";
import type { Keyring } from "../../kernel/keyring.ts";
import type { RemoteAccount } from "../ports.ts";
import { validIban } from "./iban.ts";

/** What is stored of an account's identity. */
export type AccountIdentity = {
  /** Of its own IBAN, or null without a valid one. */
  readonly ownIban: string | null;
  /**
   * Of the IBAN that an account shares with its cards: among users one earns for it. Where there is
   * none (`weak`), of user, bank and name: it says that nothing is shared.
   */
  readonly fingerprint: string;
  readonly strength: "iban" | "parent" | "weak";
  /** Of the name, which only chooses between equals. */
  readonly nameTag: string;
  readonly parentRemoteId: string | null;
  /** The fingerprints that name and IBAN gave before the name was left out. */
  readonly earlierKeys: readonly string[];
};

/** What we hold of a known account; the name's hash is null until it is seen again. */
export type StoredIdentity = Omit<AccountIdentity, "nameTag"> & { readonly nameTag: string | null };

const PURPOSE = "bank_account";

/**
 * A name without case, accents and doubled blanks: what a bank changes now and then without meaning
 * another account.
 */
export function normaliseName(name: string): string {
  return name.normalize("NFKD").replace(/\p{M}/gu, "").toUpperCase().replace(/[^A-Z0-9]+/g, " ")
    .trim();
}

/**
 * The identity of an account as the aggregator shows it. `siblings` are the accounts among which
 * the parent is searched.
 */
export function identityOf(
  keyring: Keyring,
  userId: string,
  bankId: string,
  account: RemoteAccount,
  siblings: readonly RemoteAccount[],
): AccountIdentity {
  const hash = (text: string): string => keyedIndex(keyring, PURPOSE, text);
  const iban = validIban(account.iban);
  const parentIban = validIban(parentOf(account, siblings)?.iban ?? null);
  // A card account that repeats its parent's IBAN is not that account.
  const ownIban = iban === null || iban === parentIban ? null : iban;
  const name = normaliseName(account.name);
  const weakKey = hash(`weak|${userId}|${bankId}|${name}`);
  const unit = parentIban ?? ownIban;
  return {
    ownIban: ownIban === null ? null : hash(`iban|${ownIban}`),
    fingerprint: unit === null ? weakKey : hash(`iban|${unit}`),
    strength: ownIban !== null ? "iban" : unit !== null ? "parent" : "weak",
    nameTag: hash(`name|${userId}|${name}`),
    parentRemoteId: account.parentRemoteId,
    earlierKeys: [earlierFingerprint(hash, account, siblings) ?? weakKey, weakKey],
  };
}

/**
 * The identity of a known account after it was shown again. What a bank gave once stays true when
 * it stops giving it; only what was taken for an IBAN and is none goes.
 */
export function identityAfter(
  keyring: Keyring,
  known: StoredIdentity,
  account: RemoteAccount,
  seen: AccountIdentity,
): AccountIdentity {
  const wasNoIban = seen.ownIban === null && known.ownIban !== null && known.ownIban ===
      earlierIban(account.iban, (text) => keyedIndex(keyring, PURPOSE, text));
  const ownIban = seen.ownIban ?? (wasNoIban ? null : known.ownIban);
  // A parent's fingerprint was made of the name as well until it is seen again.
  const keepsUnit = seen.strength === "weak" && !wasNoIban && known.strength !== "weak" &&
    (known.strength === "iban" || known.nameTag !== null);
  return {
    ...seen,
    ownIban,
    fingerprint: keepsUnit ? known.fingerprint : seen.fingerprint,
    strength: ownIban !== null ? "iban" : keepsUnit ? "parent" : seen.strength,
    parentRemoteId: seen.parentRemoteId ?? known.parentRemoteId,
    earlierKeys: [...new Set([...known.earlierKeys, ...seen.earlierKeys])].sort(),
  };
}

function parentOf(
  account: RemoteAccount,
  siblings: readonly RemoteAccount[],
): RemoteAccount | undefined {
  if (account.parentRemoteId !== null) {
    return siblings.find((other) => other.remoteId === account.parentRemoteId);
  }
  // Some banks name no parent and give the card the current account's IBAN.
  const iban = validIban(account.iban);
  return account.kind !== "card" || iban === null
    ? undefined
    : siblings.find((other) =>
      other.remoteId !== account.remoteId && other.kind !== "card" && validIban(other.iban) === iban
    );
}

/** Anything of the shape of an IBAN was one until check digits were looked at. */
function earlierIban(text: string | null, hash: (text: string) => string): string | null {
  const compact = (text ?? "").replace(/[\s.-]/g, "").toUpperCase();
  return /^[A-Z]{2}\d{2}[A-Z0-9]{10,30}$/.test(compact) ? hash(`iban|${compact}`) : null;
}

/** The fingerprint by which accounts of older data are known that were never seen again. */
function earlierFingerprint(
  hash: (text: string) => string,
  account: RemoteAccount,
  siblings: readonly RemoteAccount[],
): string | null {
  const parent = siblings.find((other) => other.remoteId === account.parentRemoteId);
  const parentIban = validIban(parent?.iban ?? null);
  const own = earlierIban(account.iban, hash);
  if (own !== null && own !== (parentIban === null ? null : hash(`iban|${parentIban}`))) return own;
  return parentIban === null ? null : hash(`parent|${parentIban}|${normaliseName(account.name)}`);
}
