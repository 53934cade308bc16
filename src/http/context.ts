// What every request carries through the routes.
import type { SessionId, UserId } from "../kernel/ids.ts";
import type { OperatorRole } from "../config.ts";
import type { Locale } from "../texts/catalogue.ts";

export type { Locale } from "../texts/catalogue.ts";

export type UserPrincipal = {
  readonly userId: UserId;
  readonly sessionId: SessionId | null;
  /**
   * When the person last proved who they are, in seconds (`auth_time`, OpenID Connect Core 1.0
   * section 2).
   */
  readonly authTimeS: number;
  readonly amr: readonly string[];
  /** When the token was issued, in seconds. */
  readonly issuedAtS: number;
  /** When this token was obtained by a step-up, in seconds; null for every other token. */
  readonly stepUpAtS: number | null;
};

export type OperatorPrincipal = {
  readonly subject: string;
  readonly roles: readonly OperatorRole[];
  /** A person whom `ACCESS_ROLES` names: nobody else is a second person. */
  readonly listedPerson: boolean;
};

export type AppEnv = {
  Variables: {
    requestId: string;
    locale: Locale;
    /** Set by `requireUser` or `optionalUser`. */
    user: UserPrincipal | null;
    /** Set by `requireRole`. */
    operator: OperatorPrincipal | null;
  };
};
