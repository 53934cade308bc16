// What identity keeps in D1. Every rule that two requests could race for (limits, one use of a
// code, rotation, one user per address) is a condition inside the statement that writes; D1 runs a
// batch as one transaction.
import type { Database } from "../../db/database.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { ageReviewStore } from "./age-reviews.ts";
import { codeStore } from "./codes.ts";
import { consentStore } from "./consents.ts";
import { emailChangeStore } from "./email-changes.ts";
import { noticeStore } from "./notices.ts";
import { passkeyStore } from "./passkeys.ts";
import { purge } from "./retention.ts";
import { rotate } from "./rotation.ts";
import type { RotationWrite } from "./rotation.ts";
import { sessionStore } from "./sessions.ts";
import { stepUpStore } from "./step-up.ts";
import { signIn } from "./sign-in.ts";
import type { SignInWrite } from "./sign-in.ts";
import { userStore } from "./users.ts";

export type { AgeReviewPosition, AgeReviewRow, NewAgeReview } from "./age-reviews.ts";
export type { NoticeRow } from "./notices.ts";
export type { NewSession } from "./open-session.ts";
export type { PasskeyUse } from "./passkeys.ts";
export type { CodeRow, NewPasskey, NewUser, PasskeyRow, SessionRow, UserRow } from "./rows.ts";
export type { StepUpMethods } from "./step-up.ts";
export type { AddedCode } from "./codes.ts";
export type { Acting } from "./sessions.ts";
export type { Attempt, Tally } from "./tries.ts";
export type { SignInWrite } from "./sign-in.ts";
export { allUserIds } from "./users.ts";
export type { UserChange } from "./users.ts";

export type IdentityStore = ReturnType<typeof identityStore>;

/** The identity tables behind named operations. */
export function identityStore(db: Database, random: RandomBytes, seals: RowSeals) {
  return {
    ...ageReviewStore(db, random, seals),
    ...noticeStore(db),
    ...codeStore(db, seals),
    signIn: (write: SignInWrite) => signIn(db, seals, write),
    ...sessionStore(db, seals),
    rotate: (write: RotationWrite) => rotate(db, seals, write),
    ...passkeyStore(db, seals),
    ...stepUpStore(db),
    ...emailChangeStore(db, seals),
    ...userStore(db, seals),
    ...consentStore(db, seals),
    purge: (nowMs: number) => purge(db, nowMs),
  };
}
