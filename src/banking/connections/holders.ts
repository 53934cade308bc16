// Several users who hold one bank account: who earns next, and which rows the earlier holders had
// already. Pure.
import { keyedIndex, keyedIndexAll } from "../../kernel/keyring.ts";
import type { Keyring } from "../../kernel/keyring.ts";
import type { AccountId, ConnectionId, UserId } from "../../kernel/ids.ts";
import type { LinkedAccount } from "./linked-user.ts";

/** One user's account, present or former, that is the same bank account as the others'. */
export type Holder = {
  readonly accountId: AccountId;
  readonly userId: UserId;
  readonly connectionId: ConnectionId;
  readonly earning: boolean;
  readonly offByChoice: boolean;
  readonly createdAtMs: number;
  /** The bank shows it and its connection has not ended. */
  readonly linked: boolean;
};

/** The right to earn with a shared account has been free since an instant. */
export type Handover = {
  readonly fingerprint: string;
  readonly stoppedAtMs: number;
  readonly tries: number;
  /** The user on whom the former holder agreed. */
  readonly preferredUserId: UserId | null;
};

export type NextHolder = { readonly userId: UserId; readonly accounts: readonly Holder[] };

/**
 * Who earns next: the preferred user, else the one whose account was seen first. Null while
 * somebody earns, and when nobody waits; what its user switched off does not wait.
 */
export function nextHolder(
  inOrderOfFirstSight: readonly Holder[],
  preferredUserId: UserId | null,
): NextHolder | null {
  if (inOrderOfFirstSight.some(({ linked, earning }) => linked && earning)) return null;
  const waiting = inOrderOfFirstSight.filter(({ linked, offByChoice }) => linked && !offByChoice);
  const users = inOrderOfFirstSight.map(({ userId }) => userId);
  const order = preferredUserId === null ? users : [preferredUserId, ...users];
  const userId = order.find((user) => waiting.some((holder) => holder.userId === user));
  return userId === undefined
    ? null
    : { userId, accounts: waiting.filter((holder) => holder.userId === userId) };
}

/** What two holders' views of one booked row have in common. */
type SharedRow = {
  readonly kind: "purchase" | "refund";
  readonly amountCents: number;
  readonly purchasedOn: string;
};

const PURPOSE = "shared_row";

const rowText = (fingerprint: string, { kind, amountCents, purchasedOn }: SharedRow): string =>
  `${fingerprint}|${kind}|${amountCents}|${purchasedOn}`;

/** The keyed hash under which a row of a shared account is remembered. */
export function sharedRowTag(keyring: Keyring, fingerprint: string, row: SharedRow): string {
  return keyedIndex(keyring, PURPOSE, rowText(fingerprint, row));
}

/**
 * True when an earlier holder recorded a row of the same day and amount: the bank shows it to this
 * holder too, perhaps days later, and it must not be paid twice.
 */
export function wasTaken(
  keyring: Keyring,
  account: Pick<LinkedAccount, "fingerprint" | "takenRows">,
  row: SharedRow,
): boolean {
  return account.takenRows.length > 0 &&
    keyedIndexAll(keyring, PURPOSE, rowText(account.fingerprint, row)).some((tag) =>
      account.takenRows.includes(tag)
    );
}
