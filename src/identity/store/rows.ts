// The rows of the identity tables.
import type {
  emailChanges,
  oneTimeCodes,
  passkeys,
  sessions,
  users,
} from "../../db/identity-tables.ts";

export type UserRow = typeof users.$inferSelect;

export type CodeRow = typeof oneTimeCodes.$inferSelect;

export type SessionRow = typeof sessions.$inferSelect;

export type EmailChangeRow = typeof emailChanges.$inferSelect;

export type PasskeyRow = typeof passkeys.$inferSelect;
