// The part of the identity service about passkeys and step-up.
import type { UserId } from "../../kernel/ids.ts";
import type { Result } from "../../kernel/result.ts";
import type { DeviceKind } from "../device.ts";
import type { PasskeyError, StepUpError } from "../errors.ts";
import type { AssertionAnswer, RegistrationAnswer } from "../passkey.ts";
import type { StepUpMethods } from "../store/index.ts";
import type { Origin } from "./codes.ts";
import type { IdentityDeps } from "./deps.ts";
import type { SignedIn } from "./new-session.ts";
import {
  listPasskeys,
  passkeyAssertion,
  passkeyRegistration,
  registerPasskey,
  renamePasskey,
  signInWithPasskey,
} from "./passkeys.ts";
import type { InSession, PasskeyView } from "./passkeys.ts";
import { stepUpByCode, stepUpByPasskey } from "./step-up.ts";
import type { StepUpSession, Strengthened } from "./step-up.ts";

export type PasskeyCalls = {
  /** What the browser needs to make a passkey; null without such a user. */
  readonly passkeyRegistration: (session: InSession) => ReturnType<typeof passkeyRegistration>;
  readonly registerPasskey: (
    session: InSession,
    answer: RegistrationAnswer,
    by: { readonly name: string | null; readonly device: DeviceKind },
  ) => Promise<Result<PasskeyView, PasskeyError>>;
  /** What the browser needs to ask a passkey: to sign in, or to strengthen a session. */
  readonly passkeyAssertion: (session: InSession | null) => ReturnType<typeof passkeyAssertion>;
  readonly signInWithPasskey: (
    answer: AssertionAnswer,
    by: { readonly deviceName: string | null; readonly device: DeviceKind },
  ) => Promise<Result<SignedIn, { readonly code: "passkey_invalid" }>>;
  readonly passkeys: (userId: UserId) => Promise<PasskeyView[]>;
  /** Null when it is not this user's. */
  readonly renamePasskey: (userId: UserId, id: string, name: string) => Promise<PasskeyView | null>;
  /** False when it is not this user's. */
  readonly removePasskey: (id: string, session: InSession, device: DeviceKind) => Promise<boolean>;
  readonly stepUpByPasskey: (
    session: StepUpSession,
    answer: AssertionAnswer,
  ) => Promise<Result<Strengthened, StepUpError>>;
  readonly stepUpByCode: (
    session: StepUpSession,
    code: string,
    origin: Origin,
  ) => Promise<Result<Strengthened, StepUpError>>;
  /** Null without such a user. */
  readonly stepUpMethods: (userId: UserId) => Promise<StepUpMethods | null>;
  /** The methods after it; null when codes are to be off without a passkey to use instead. */
  readonly switchStepUpCodes: (
    userId: UserId,
    codes: boolean,
    device: DeviceKind,
  ) => Promise<StepUpMethods | null>;
};

export function passkeyCalls(deps: IdentityDeps): PasskeyCalls {
  const { store, clock } = deps;
  return {
    passkeyRegistration: (session) => passkeyRegistration(deps, session),
    registerPasskey: (session, answer, by) => registerPasskey(deps, session, answer, by),
    passkeyAssertion: (session) => passkeyAssertion(deps, session),
    signInWithPasskey: (answer, by) => signInWithPasskey(deps, answer, by),
    passkeys: (userId) => listPasskeys(deps, userId),
    renamePasskey: (userId, id, name) => renamePasskey(deps, userId, id, name),
    removePasskey: (id, session, device) =>
      store.removePasskey(id, { ...session, device, nowMs: clock.nowMs() }),
    stepUpByPasskey: (session, answer) => stepUpByPasskey(deps, session, answer),
    stepUpByCode: (session, code, origin) => stepUpByCode(deps, session, code, origin),
    stepUpMethods: (userId) => store.stepUpMethods(userId),
    switchStepUpCodes: async (userId, codes, device) =>
      (await store.switchStepUpCodes(userId, codes, { device, nowMs: clock.nowMs() }))
        ? store.stepUpMethods(userId)
        : null,
  };
}
