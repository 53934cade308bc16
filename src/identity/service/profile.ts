// Reads and changes the profile.
import type { UserId } from "../../kernel/ids.ts";
import type { Gender, Profile, ProfileChange } from "../profile.ts";
import type { UserChange, UserRow } from "../store/index.ts";
import { reviewFor } from "./age-reviews.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow, decrypted } from "./fields.ts";
import type { UserColumn } from "./fields.ts";

export async function toProfile(deps: IdentityDeps, user: UserRow): Promise<Profile> {
  const cipher = await cipherOfRow(deps, user);
  const open = (
    column: UserColumn,
    sealed: string | null,
  ): Promise<
    string | null
  > => (sealed === null ? Promise.resolve(null) : decrypted(cipher, column, sealed));
  const [email, firstName, lastName, gender, birthDate] = await Promise.all([
    decrypted(cipher, "email", user.emailCipher),
    open("first_name", user.firstNameCipher),
    open("last_name", user.lastNameCipher),
    open("gender", user.genderCipher),
    open("birth_date", user.birthDateCipher),
  ]);
  return {
    id: user.id,
    email,
    firstName,
    lastName,
    gender: gender as Gender | null,
    birthDate,
    locale: user.locale,
    createdAtMs: user.createdAtMs,
  };
}

export async function updateProfile(
  deps: IdentityDeps,
  userId: UserId,
  change: ProfileChange,
): Promise<Profile | null> {
  const user = await deps.store.user(userId);
  if (user === null) return null;
  const cipher = await cipherOfRow(deps, user);
  const seal = (column: UserColumn, text: string | null): Promise<string | null> =>
    text === null
      ? Promise.resolve(null)
      : cipher.encrypt({ table: "users", column, row: userId }, text);
  const columns: UserChange = {
    ...(change.firstName === undefined
      ? {}
      : { firstNameCipher: await seal("first_name", change.firstName) }),
    ...(change.lastName === undefined
      ? {}
      : { lastNameCipher: await seal("last_name", change.lastName) }),
    ...(change.gender === undefined ? {} : { genderCipher: await seal("gender", change.gender) }),
    ...(change.birthDate === undefined
      ? {}
      : { birthDateCipher: await seal("birth_date", change.birthDate) }),
    ...(change.locale === undefined ? {} : { locale: change.locale }),
  };
  const after = Object.keys(columns).length === 0
    ? user
    : await deps.store.updateUser(userId, columns, reviewFor(deps, userId, change.birthDate));
  return after === null ? null : toProfile(deps, after);
}
