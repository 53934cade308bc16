// Opens a user's data key and encrypted fields. Failing to is a broken invariant, so it throws.
import { assert } from "../../kernel/assert.ts";
import { openUserCipher } from "../../kernel/keyring.ts";
import type { UserCipher } from "../../kernel/keyring.ts";
import type { UserRow } from "../store/index.ts";
import type { IdentityDeps } from "./deps.ts";

export type UserColumn = "email" | "first_name" | "last_name" | "gender" | "birth_date";

export async function openedCipher(
  deps: IdentityDeps,
  userId: string,
  dataKey: string,
): Promise<UserCipher> {
  const cipher = await openUserCipher(deps.keyrings.encryption, userId, dataKey, deps.random);
  assert(
    cipher.ok,
    "data_key_unreadable",
    "a user's data key cannot be decrypted with the keyring",
  );
  return cipher.value;
}

export function cipherOfRow(deps: IdentityDeps, user: UserRow): Promise<UserCipher> {
  return openedCipher(deps, user.id, user.dataKey);
}

export async function decrypted(
  cipher: UserCipher,
  column: UserColumn,
  sealed: string,
): Promise<string> {
  const opened = await cipher.decrypt({ table: "users", column, row: cipher.userId }, sealed);
  assert(
    opened.ok,
    "field_unreadable",
    "a user's encrypted field cannot be decrypted with their data key",
  );
  return opened.value;
}
