// The rows of the identity tables.
import type { authCodes, sessions, users } from "../../db/identity-tables.ts";

export type UserRow = typeof users.$inferSelect;

export type CodeRow = typeof authCodes.$inferSelect;

export type SessionRow = typeof sessions.$inferSelect;
