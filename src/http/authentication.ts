// Who is calling. Access tokens are verified without a database read; every request that changes
// something reads the session too, so that an ended one does nothing more.
import type { Context, MiddlewareHandler } from "hono";
import type { OperatorRole } from "../config.ts";
import { err } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import { callerNetwork, tooManyFailures } from "./callers.ts";
import type { Callers } from "./callers.ts";
import type { AppEnv, OperatorPrincipal, UserPrincipal } from "./context.ts";
import { PROBLEM_DETAILS } from "../texts/texts.ts";
import { problem } from "./problem.ts";
import type { ProblemOptions } from "./problem.ts";

export type TokenError = "token_invalid" | "token_expired";
export type UserTokens = {
  readonly verify: (token: string) => Promise<Result<UserPrincipal, TokenError>>;
  /**
   * Whether the user is there and not being erased, and the session, if it is one of ours, is live.
   */
  readonly mayAct: (user: UserPrincipal) => Promise<boolean>;
};
export type OperatorTokens = {
  readonly verify: (token: string) => Promise<Result<OperatorPrincipal, TokenError>>;
};

const CHALLENGE = { "WWW-Authenticate": "Bearer" };

function bearer(header: string | undefined): string | null {
  const match = /^Bearer ([A-Za-z0-9._~+/=-]{1,8192})$/i.exec(header ?? "");
  return match?.[1] ?? null;
}

const READS = new Set(["GET", "HEAD"]);

/** How long after a step-up its token opens what asks for one. */
const STEP_UP_VALID_MS = 5 * MINUTE_MS;

/**
 * Names the user of a request in the context, or answers why there is none. With `live` the session
 * is read too.
 */
async function userRefusal(
  c: Context<AppEnv>,
  tokens: UserTokens,
  live: boolean,
): Promise<Response | null> {
  const header = c.req.header("Authorization");
  if (header === undefined) return problem(c, "token_missing", { headers: CHALLENGE });
  const token = bearer(header);
  if (token === null) return problem(c, "token_invalid", { headers: CHALLENGE });
  const verified = await tokens.verify(token);
  if (!verified.ok) return problem(c, verified.error, { headers: CHALLENGE });
  if (live && !(await tokens.mayAct(verified.value))) {
    return problem(c, "token_invalid", { headers: CHALLENGE });
  }
  c.set("user", verified.value);
  return null;
}

/**
 * Refuses a request without a valid access token and names the user in the context. The session is
 * read for every request that changes something; what shows labels reads it with the user's key.
 */
export function requireUser(tokens: UserTokens): MiddlewareHandler<AppEnv> {
  return async (c, next) => (await userRefusal(c, tokens, !READS.has(c.req.method))) ?? next();
}

/**
 * `requireUser`, and refuses a token that was not obtained by a step-up within five minutes
 * (`POST /v1/auth/step-up`): a stolen token or an open phone is not enough. Reads the session
 * whatever the method; no token of an outside issuer passes. To be put before `idempotent`.
 */
export function requireStepUp(
  tokens: UserTokens,
  clock: Pick<Clock, "nowMs">,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const refused = await userRefusal(c, tokens, true);
    if (refused !== null) return refused;
    const { stepUpAtS } = userOf(c);
    const fresh = stepUpAtS !== null && clock.nowMs() - stepUpAtS * 1000 <= STEP_UP_VALID_MS;
    return fresh ? next() : problem(c, "step_up_required");
  };
}

/** Names the user when there is a token, refuses a bad one, and lets the anonymous pass. */
export function optionalUser(tokens: UserTokens): MiddlewareHandler<AppEnv> {
  const required = requireUser(tokens);
  return async (c, next) => {
    if (c.req.header("Authorization") !== undefined) return required(c, next);
    c.set("user", null);
    return next();
  };
}

/** Which roles would do. Said to operators only, whose token is good. */
function roleMissing(c: Context<AppEnv>, roles: readonly OperatorRole[]): ProblemOptions {
  const detail = PROBLEM_DETAILS.both("forbidden_role", { roles: roles.join(", ") });
  return {
    detail,
    errors: roles.map((role) => ({
      pointer: `#role/${role}`,
      code: "role_missing",
      detail: detail[c.get("locale")],
    })),
  };
}

/** The operator of a request, or why it names none. */
async function operatorIn(
  c: Context<AppEnv>,
  tokens: OperatorTokens,
): Promise<Result<OperatorPrincipal, TokenError | "token_missing">> {
  const token = c.req.header("Cf-Access-Jwt-Assertion") ?? bearer(c.req.header("Authorization"));
  if (token === null) {
    return err(c.req.header("Authorization") === undefined ? "token_missing" : "token_invalid");
  }
  return tokens.verify(token);
}

/**
 * Lets only operators of any role send something to `/admin`, before their bodies are read.
 * Networks that fail too often wait. Which roles would do is the route's to say.
 */
export function requireOperator(
  tokens: OperatorTokens,
  callers: Callers,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (c.req.raw.body === null) return next();
    const network = callerNetwork(c);
    if (callers.standingOf(network) === "throttled") return tooManyFailures(c);
    const operator = await operatorIn(c, tokens);
    if (!operator.ok) {
      callers.failed(network);
      return problem(c, operator.error, { headers: CHALLENGE });
    }
    callers.succeeded(network);
    return next();
  };
}

/** Refuses everybody but operators who hold one of the roles (`owner` holds all). */
export function requireRole(
  tokens: OperatorTokens,
  ...roles: readonly OperatorRole[]
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const verified = await operatorIn(c, tokens);
    if (!verified.ok) return problem(c, verified.error, { headers: CHALLENGE });
    const held = verified.value.roles;
    // Named before the refusal, which is accounted for too.
    c.set("operator", verified.value);
    if (!held.includes("owner") && !roles.some((role) => held.includes(role))) {
      return problem(c, "forbidden", roleMissing(c, [...roles, "owner"]));
    }
    return next();
  };
}

/** The user of a route behind `requireUser`. */
export function userOf(c: Context<AppEnv>): UserPrincipal {
  const user = c.get("user");
  if (user === null || user === undefined) throw new Error("route without requireUser");
  return user;
}

/** The operator of a route behind `requireRole`. */
export function operatorOf(c: Context<AppEnv>): OperatorPrincipal {
  const operator = c.get("operator");
  if (operator === null || operator === undefined) throw new Error("route without requireRole");
  return operator;
}
