// The address of a user, for what must write to them without being asked: expiry notices,
// reminders. Nobody else opens it.
import { openUserCipher } from "../../kernel/keyring.ts";
import type { Keyring } from "../../kernel/keyring.ts";
import type { Log } from "../../kernel/log.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { ContactPort } from "../ports.ts";
import type { IdentityStore } from "../store/index.ts";

type ContactDeps = {
  readonly store: Pick<IdentityStore, "user">;
  readonly encryption: Keyring;
  readonly random: RandomBytes;
  readonly log: Log;
};

/**
 * Addresses, decrypted one at a time. A key that cannot be used raises an alert, and the user is
 * not written to.
 */
export function contactBook(deps: ContactDeps): ContactPort {
  return {
    async contactOf(userId) {
      const user = await deps.store.user(userId);
      if (user === null || user.state !== "active") return null;
      const cipher = await openUserCipher(deps.encryption, userId, user.dataKey, deps.random);
      const email = cipher.ok
        ? await cipher.value.decrypt(
          { table: "users", column: "email", row: userId },
          user.emailCipher,
        )
        : cipher;
      if (email.ok) return { email: email.value, locale: user.locale };
      deps.log.alert("contact_unreadable", { user: userId, code: email.error });
      return null;
    },
  };
}
