// What a person can do about their account: prove an address, keep a session, hold a profile,
// decide on purposes. Refusals are values; nothing here logs or returns an address, a name or a
// token beyond the answer it is for.
import type { AuditEvent } from "../../audit/ports.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import { openUserCipher } from "../../kernel/keyring.ts";
import type { CipherError, UserCipher } from "../../kernel/keyring.ts";
import type { Result } from "../../kernel/result.ts";
import { completeConsents } from "../consent.ts";
import type { CurrentConsent } from "../consent.ts";
import type { EmailChangeError, RefreshError, SendCodeError, SignInError } from "../errors.ts";
import type { ConsentPurpose, IdentityPort } from "../ports.ts";
import type { Profile, ProfileChange } from "../profile.ts";
import { sessionOfRefreshToken } from "../refresh-token.ts";
import { decideAgeReview, finishAgeReviews, pageAgeReviews } from "./age-reviews.ts";
import { sendSessionCode, sendSignInCode } from "./codes.ts";
import type { SessionCodeRequest, SignInCodeRequest } from "./codes.ts";
import { decide, linkGate } from "./consents.ts";
import type { Acting } from "../store/index.ts";
import type { IdentityDeps } from "./deps.ts";
import { changeEmail } from "./email-change.ts";
import type { EmailChangeInput } from "./email-change.ts";
import type { InSession } from "./passkeys.ts";
import { linkIndexes, reindex } from "./indexes.ts";
import type { SignedIn } from "./new-session.ts";
import { passkeyCalls } from "./passkey-calls.ts";
import type { PasskeyCalls } from "./passkey-calls.ts";
import { toProfile, updateProfile } from "./profile.ts";
import { pageSessions, refresh } from "./sessions.ts";
import type { SessionView } from "./sessions.ts";
import { signIn } from "./sign-in.ts";
import type { SignInInput } from "./sign-in.ts";
import { undo } from "./undo.ts";

export type { Origin } from "./codes.ts";
export type { SignedIn } from "./new-session.ts";
export type { InSession, PasskeyView } from "./passkeys.ts";
export type { StepUpMethods } from "../store/index.ts";

export type IdentityService =
  & {
    /**
     * Sends a sign-in code. The same work whether or not the address has a user: users are not looked
     * at.
     */
    readonly sendSignInCode: (
      request: SignInCodeRequest,
    ) => Promise<
      Result<{ readonly expiresInS: number; readonly challenge: string }, SendCodeError>
    >;
    /** Sends a code that strengthens this session, or one that proves a new address. */
    readonly sendSessionCode: (
      userId: UserId,
      sessionId: SessionId | null,
      request: SessionCodeRequest,
    ) => Promise<Result<{ readonly expiresInS: number }, SendCodeError>>;
    /**
     * Exchanges a code for a session, and makes the user at the first time. A code opens exactly one
     * session.
     */
    readonly signIn: (input: SignInInput) => Promise<Result<SignedIn, SignInError>>;
    /** Undoes what a mail told its reader about; false when the token is not ours or too late. */
    readonly undo: (token: string) => Promise<boolean>;
    /** The session that a refresh token says it belongs to, without looking whether it is good. */
    readonly sessionOfRefresh: (token: string) => SessionId | null;
    readonly refresh: (token: string) => Promise<Result<SignedIn, RefreshError>>;
    /** One row more than `limit` when there is another page. */
    readonly pageSessions: (
      userId: UserId,
      beforeId: string | null,
      limit: number,
    ) => Promise<SessionView[]>;
    /** False when the session is not this user's. */
    readonly endSession: (userId: UserId, sessionId: string) => Promise<boolean>;
    /** Ends every session of the user but one, and what outside issuers issued until now. */
    readonly endOtherSessions: (userId: UserId, keptId: SessionId | null) => Promise<void>;
    /** False for an ended session, and for a user who is being erased or gone. */
    readonly mayAct: (principal: Acting) => Promise<boolean>;
    /** The cipher of a user who may act, else null: one read for both. */
    readonly cipherFor: (principal: Acting) => Promise<Result<UserCipher, CipherError> | null>;
    readonly profile: (userId: UserId) => Promise<Profile | null>;
    readonly updateProfile: (userId: UserId, change: ProfileChange) => Promise<Profile | null>;
    /** Gives the user another address, which the code has proved. */
    readonly changeEmail: (
      session: InSession,
      input: EmailChangeInput,
    ) => Promise<Result<Profile, EmailChangeError>>;
    readonly consents: (userId: UserId) => Promise<CurrentConsent[]>;
    /**
     * Null without such a user; `connections_not_ended` when the withdrawal is stored but must be
     * repeated.
     */
    readonly decide: (
      userId: UserId,
      purpose: ConsentPurpose,
      granted: boolean,
      textVersion: string,
    ) => Promise<
      Result<CurrentConsent, "user_unknown" | "connections_not_ended" | "too_many_decisions">
    >;
    readonly linkedUser: (issuer: string, subject: string) => Promise<UserId | null>;
    /** Links a subject of an outside issuer; false when it is somebody else's already. */
    readonly linkUser: (userId: UserId, issuer: string, subject: string) => Promise<boolean>;
    /**
     * Moves at most `limit` users to the active index key; returns how many. At zero an old key may
     * leave the ring.
     */
    readonly reindex: (limit: number) => Promise<number>;
    readonly pageAgeReviews: (
      query: Parameters<typeof pageAgeReviews>[1],
    ) => ReturnType<typeof pageAgeReviews>;
    readonly decideAgeReview: (
      id: string,
      decision: "of_age" | "under_age",
      event: AuditEvent,
    ) => ReturnType<typeof decideAgeReview>;
    /** Decides the reviews that nobody decided in time, and finishes what was left open. */
    readonly finishAgeReviews: () => Promise<void>;
  }
  & IdentityPort
  & PasskeyCalls;

/** The identity domain over its store. */
export function identityService(deps: IdentityDeps): IdentityService {
  const { store, clock } = deps;
  return {
    sendSignInCode: (request) => sendSignInCode(deps, request),
    sendSessionCode: (userId, sessionId, request) =>
      sendSessionCode(deps, userId, sessionId, request),
    signIn: (input) => signIn(deps, input),
    ...passkeyCalls(deps),
    undo: (token) => undo(deps, token),
    sessionOfRefresh: (token) => sessionOfRefreshToken(deps.keyrings.index, token),
    refresh: (token) => refresh(deps, token),
    pageSessions: (userId, beforeId, limit) => pageSessions(deps, userId, beforeId, limit),
    endSession: (userId, sessionId) => store.endSession(userId, sessionId, clock.nowMs()),
    endOtherSessions: (userId, keptId) => store.endOtherSessions(userId, keptId, clock.nowMs()),
    mayAct: async (acting) => (await store.keyOfActing(acting, clock.nowMs())) !== null,
    async cipherFor(acting) {
      const dataKey = await store.keyOfActing(acting, clock.nowMs());
      return dataKey === null
        ? null
        : openUserCipher(deps.keyrings.encryption, acting.userId, dataKey, deps.random);
    },
    async profile(userId) {
      const user = await store.user(userId);
      return user === null ? null : toProfile(deps, user);
    },
    updateProfile: (userId, change) => updateProfile(deps, userId, change),
    changeEmail: (session, input) => changeEmail(deps, session, input),
    consents: async (userId) => completeConsents(await store.currentConsents(userId)),
    decide: (userId, purpose, granted, textVersion) =>
      decide(deps, userId, purpose, granted, textVersion),
    linkedUser: async (issuer, subject) =>
      (await store.linkedUser(linkIndexes(deps, issuer, subject))) as UserId | null,
    linkUser: async (userId, issuer, subject) =>
      (await store.linkUser(linkIndexes(deps, issuer, subject), userId, clock.nowMs())) === userId,
    reindex: (limit) => reindex(deps, limit),
    pageAgeReviews: (query) => pageAgeReviews(deps, query),
    decideAgeReview: (id, decision, event) => decideAgeReview(deps, id, decision, event),
    finishAgeReviews: () => finishAgeReviews(deps),
    linkGate: (userId) => linkGate(deps, userId),
    async cipherOf(userId) {
      const user = await store.user(userId);
      return user === null || user.state !== "active"
        ? null
        : openUserCipher(deps.keyrings.encryption, userId, user.dataKey, deps.random);
    },
  };
}
