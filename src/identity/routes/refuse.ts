// Refusals that several identity routes share.
import type { Context } from "hono";
import type { AppEnv } from "../../http/context.ts";
import { problem } from "../../http/problem.ts";
import type { ProblemCode, ProblemOptions } from "../../http/problem.ts";
import { rateLimitHeaders } from "../../http/rate-limit.ts";
import {
  CODE_TTL_MS,
  CODES_PER_HOUR,
  CODES_PER_WIDE_NETWORK,
  CODES_WINDOW_MS,
  TRIES_PER_CODE,
  WRONG_TRIES_PER_DAY,
  WRONG_TRIES_WINDOW_MS,
} from "../code.ts";
import type { SendCodeError, SignInError } from "../errors.ts";

// A refusal has its own type of answer, which zod-openapi cannot tie to the status of its code.
export function refuse(c: Context<AppEnv>, code: ProblemCode, options: ProblemOptions = {}): never {
  return problem(c, code, options) as never;
}

/** The token is genuine but its user is gone: the same answer as for a token that is not valid. */
export function refuseGoneUser(c: Context<AppEnv>): never {
  return refuse(c, "token_invalid", { headers: { "WWW-Authenticate": "Bearer" } });
}

export function limited(
  c: Context<AppEnv>,
  error: Extract<SendCodeError | SignInError, { retryAfterS: number }>,
): never {
  const [policy, limit, windowMs] = error.code === "code_tries_exceeded"
    ? (["tries-per-code", TRIES_PER_CODE, CODE_TTL_MS] as const)
    : error.limit === "codes"
    ? (["codes-per-device", CODES_PER_HOUR, CODES_WINDOW_MS] as const)
    : error.limit === "network"
    ? (["codes-per-network", CODES_PER_WIDE_NETWORK, CODES_WINDOW_MS] as const)
    : (["tries-per-device", WRONG_TRIES_PER_DAY, WRONG_TRIES_WINDOW_MS] as const);
  return refuse(c, error.code, {
    headers: rateLimitHeaders(policy, limit, windowMs / 1000, error.retryAfterS),
  });
}
