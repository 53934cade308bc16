// Keyed indexes: links to outside issuers, and the move to the active index key.
import { assert } from "../../kernel/assert.ts";
import { keyedIndexAll } from "../../kernel/keyring.ts";
import { emailIndex } from "../email.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow, decrypted } from "./fields.ts";

export function atLeastOne(texts: readonly string[]): readonly [string, ...string[]] {
  const [first, ...rest] = texts;
  assert(first !== undefined, "keyring_empty", "the keyring has no key");
  return [first, ...rest];
}

export function linkIndexes(
  deps: IdentityDeps,
  issuer: string,
  subject: string,
): readonly [string, ...string[]] {
  return atLeastOne(
    keyedIndexAll(deps.keyrings.index, "identity_link", JSON.stringify([issuer, subject])),
  );
}

export async function reindex(deps: IdentityDeps, limit: number): Promise<number> {
  const { store, keyrings } = deps;
  const rows = await store.usersIndexedOtherwise(keyrings.index.active, limit);
  for (const user of rows) {
    const email = await decrypted(await cipherOfRow(deps, user), "email", user.emailCipher);
    await store.reindexUser(user, emailIndex(keyrings.index, email));
  }
  return rows.length;
}
