// The rows of the identity tables.
import type {
  emailChanges,
  oneTimeCodes,
  passkeys,
  sessions,
  users,
} from "../../db/identity-tables.ts";

export type UserRow = typeof users.$inferSelect;

/** A user as a sign-in makes one; the store seals the row. */
export type NewUser = Omit<UserRow, "seal">;

export type CodeRow = typeof oneTimeCodes.$inferSelect;

export type SessionRow = typeof sessions.$inferSelect;

export type EmailChangeRow = typeof emailChanges.$inferSelect;

export type PasskeyRow = typeof passkeys.$inferSelect;

/** A passkey as a registration makes one; the store seals the row. */
export type NewPasskey = Omit<PasskeyRow, "seal">;
