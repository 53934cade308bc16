// A user's access to an aggregator: the adapter, the user's token and the key that opened it.
import { openUserCipher } from "../../kernel/keyring.ts";
import type { UserCipher } from "../../kernel/keyring.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { LinkedUser } from "../connections/index.ts";
import type { ReadError } from "../errors.ts";
import type { Aggregator } from "../ports.ts";
import { aggregatorOf } from "./deps.ts";
import type { BankingDeps } from "./deps.ts";

/** A user's access to an aggregator, with the key for what belongs to that user. */
export type Access = {
  readonly aggregator: Aggregator;
  readonly token: string;
  readonly cipher: UserCipher;
};

/** The token's place as associated data. */
export function tokenPlace(linkId: string) {
  return { table: "aggregator_links", column: "token_cipher", row: linkId };
}

/** Opens the user's key; a key that cannot be used fails this user and nobody else. */
export async function cipherFor(
  deps: BankingDeps,
  linkedUser: LinkedUser,
): Promise<Result<UserCipher, ReadError>> {
  const cipher = await openUserCipher(
    deps.keyrings.encryption,
    linkedUser.userId,
    linkedUser.dataKey,
    deps.random,
  );
  return cipher.ok ? cipher : err({ code: "key_unusable" });
}

/** Opens the user's key and the token of a trade that has still to say whose it is. */
export async function tradedTokenOf(
  deps: BankingDeps,
  linkedUser: LinkedUser,
): Promise<Result<string, ReadError>> {
  const cipher = await cipherFor(deps, linkedUser);
  if (!cipher.ok) return cipher;
  if (linkedUser.tradedTokenCipher === null) return err({ code: "key_unusable" });
  const token = await cipher.value.decrypt(
    tokenPlace(linkedUser.linkId),
    linkedUser.tradedTokenCipher,
  );
  return token.ok ? token : err({ code: "key_unusable" });
}

/** Opens the user's key and token. */
export async function accessFor(
  deps: BankingDeps,
  linkedUser: LinkedUser,
): Promise<Result<Access, ReadError>> {
  const aggregator = aggregatorOf(deps, linkedUser.aggregator);
  const cipher = await cipherFor(deps, linkedUser);
  if (!cipher.ok) return cipher;
  if (aggregator === null || linkedUser.tokenCipher === null) return err({ code: "key_unusable" });
  const token = await cipher.value.decrypt(tokenPlace(linkedUser.linkId), linkedUser.tokenCipher);
  return token.ok
    ? ok({ aggregator, token: token.value, cipher: cipher.value })
    : err({ code: "key_unusable" });
}
