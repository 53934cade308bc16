// What the identity service is built from.
import type { Keyring } from "../../kernel/keyring.ts";
import type { Log } from "../../kernel/log.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { Clock } from "../../kernel/time.ts";
import type { AccessTokenIssuer } from "../access-tokens.ts";
import type { RelyingParty } from "../passkey.ts";
import type { AgeListener, ConsentListener, Mailer } from "../ports.ts";
import type { IdentityStore } from "../store/index.ts";

export type IdentityDeps = {
  readonly store: IdentityStore;
  readonly keyrings: { readonly encryption: Keyring; readonly index: Keyring };
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly mailer: Mailer;
  readonly accessTokens: AccessTokenIssuer;
  readonly relyingParty: RelyingParty;
  readonly minimumAge: number;
  readonly consentListener: ConsentListener;
  readonly ageListener: AgeListener;
};
