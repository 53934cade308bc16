// Trying a code: what counts, and how too many tries are refused.
import { keyedIndex } from "../../kernel/keyring.ts";
import { WRONG_TRIES_PER_DAY, WRONG_TRIES_WINDOW_MS } from "../code.ts";
import type { CodeError } from "../errors.ts";
import type { Attempt, CodeRow, Tally } from "../store/index.ts";
import { networkIndexes, secondsUntil } from "./codes.ts";
import type { Origin } from "./codes.ts";
import type { IdentityDeps } from "./deps.ts";

/** A try of a code, as the limits count it. */
export function attemptOf(
  deps: IdentityDeps,
  code: CodeRow,
  addressIndexes: readonly string[],
  origin: Origin,
  nowMs: number,
): Attempt {
  return {
    codeId: code.id,
    deviceKey: code.deviceKey,
    known: code.known,
    addressIndexes,
    networkIndexes: networkIndexes(deps, origin.networks.own),
    nowMs,
  };
}

/** Counts a wrong try, and says how it is refused. */
export async function countWrongTry(
  deps: IdentityDeps,
  code: CodeRow,
  attempt: Attempt,
  origin: Origin,
): Promise<CodeError> {
  const { counted, alerted, tally } = await deps.store.addWrongTry(attempt, {
    address: code.addressIndex,
    network: keyedIndex(deps.keyrings.index, "network", origin.networks.own),
  });
  if (alerted) deps.log.alert("sign_in_sprayed", {});
  return (counted ? null : limitError(tally, code, attempt.nowMs)) ?? { code: "code_invalid" };
}

/**
 * The refusal that a tally calls for, or null. A spent or late code is not "tried too often", it is
 * just not valid.
 */
export function limitError(tally: Tally, code: CodeRow, nowMs: number): CodeError | null {
  if (tally.ofDevice >= WRONG_TRIES_PER_DAY || tally.ofAddress >= WRONG_TRIES_PER_DAY) {
    return {
      code: "rate_limited",
      limit: "tries",
      retryAfterS: secondsUntil((tally.oldestAtMs ?? nowMs) + WRONG_TRIES_WINDOW_MS, nowMs),
    };
  }
  if (
    code.usedAtMs !== null || code.superseded === 1 || code.expiresAtMs <= nowMs ||
    tally.ofCode < tally.allowedOfCode
  ) return null;
  return { code: "code_tries_exceeded", retryAfterS: secondsUntil(code.expiresAtMs, nowMs) };
}
