// The address of a user, for what must write to them without being asked: expiry notices,
// reminders. Nobody else opens it.
import { openUserCipher } from "../../kernel/keyring.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { Keyring } from "../../kernel/keyring.ts";
import type { Log } from "../../kernel/log.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { Contact, ContactPort } from "../ports.ts";
import type { IdentityStore } from "../store/index.ts";

type ContactDeps = {
  readonly store: Pick<IdentityStore, "user" | "emailChange">;
  readonly encryption: Keyring;
  readonly random: RandomBytes;
  readonly log: Log;
};

export type ContactBook = ContactPort & {
  /** The address before a change; null also when the change is long gone. */
  readonly formerContactOf: (changeId: string) => Promise<Contact | null>;
};

/**
 * Addresses, decrypted one at a time. A key that cannot be used raises an alert, and the user is
 * not written to.
 */
export function contactBook(deps: ContactDeps): ContactBook {
  const contactAt = async (userId: UserId, sealed: string | null): Promise<Contact | null> => {
    const user = await deps.store.user(userId);
    if (user === null || user.state !== "active") return null;
    const cipher = await openUserCipher(deps.encryption, userId, user.dataKey, deps.random);
    const email = cipher.ok
      ? await cipher.value.decrypt(
        { table: "users", column: "email", row: userId },
        sealed ?? user.emailCipher,
      )
      : cipher;
    if (email.ok) return { email: email.value, locale: user.locale };
    deps.log.alert("contact_unreadable", { user: userId, code: email.error });
    return null;
  };
  return {
    contactOf: (userId) => contactAt(userId, null),
    async formerContactOf(changeId) {
      const change = await deps.store.emailChange(changeId);
      return change === null ? null : contactAt(change.userId as UserId, change.formerCipher);
    },
  };
}
