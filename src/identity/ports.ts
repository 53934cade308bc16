// What other domains may ask about a user. Nothing here carries a name, an address or a birth date.
import type { UserId } from "../kernel/ids.ts";
import type { CipherError, UserCipher } from "../kernel/keyring.ts";
import type { Result } from "../kernel/result.ts";

export type ConsentPurpose = "terms" | "bank_data" | "recommendations" | "statistics" | "marketing";

/** Everything that decides whether a user may link a bank account. */
export type LinkGate = {
  readonly userId: UserId;
  readonly locale: "fr" | "en";
  /** Instant of the consent in force, or null when none was given or it was withdrawn. */
  readonly termsGrantedAtMs: number | null;
  readonly bankDataGrantedAtMs: number | null;
  readonly profileComplete: boolean;
  /** Null while the birth date is unknown; false also while the user's age is being reviewed. */
  readonly oldEnough: boolean | null;
  /** The programme's, for whoever has to say so. */
  readonly minimumAge: number;
};

export type IdentityPort = {
  readonly linkGate: (userId: UserId) => Promise<LinkGate | null>;
  /** The user's cipher, null when there is no such user (any more). */
  readonly cipherOf: (userId: UserId) => Promise<Result<UserCipher, CipherError> | null>;
};

/**
 * How to write to a user. Only for what sends a message: everything else does without an address.
 */
export type Contact = { readonly email: string; readonly locale: "fr" | "en" };
export type ContactPort = {
  /**
   * Null when there is no such user (any more), when they are being erased, or when their key
   * cannot be used.
   */
  readonly contactOf: (userId: UserId) => Promise<Contact | null>;
};

/** Called when a user withdraws a consent. Both must be safe to call again. */
export type ConsentListener = {
  /** The connections must end. */
  /** Before the withdrawal is stored: banks are read for the last time, and not for long. */
  readonly bankDataEnding: (userId: UserId) => Promise<void>;
  readonly bankDataWithdrawn: (userId: UserId) => Promise<void>;
  /** What statistics hold of the user must go. */
  readonly statisticsWithdrawn: (userId: UserId) => Promise<void>;
};

/** Called when a review of a user's age was decided. Both must be safe to call again. */
export type AgeListener = {
  /** The user is old enough: what was bought meanwhile is to be read back. */
  readonly earningResumes: (userId: UserId) => Promise<void>;
  /** The user is not, or nobody decided: the connections must end. */
  readonly connectionsEnd: (userId: UserId) => Promise<void>;
};

/**
 * Sends one e-mail through the configured provider. Never throws; a refusal or a time-out is
 * `email_unavailable`.
 */
export type Mailer = {
  readonly send: (
    message: {
      readonly to: string;
      readonly subject: string;
      readonly text: string;
      readonly html: string;
    },
  ) => Promise<Result<null, { readonly code: "email_unavailable" }>>;
};
