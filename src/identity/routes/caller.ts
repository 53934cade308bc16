// Who asks, and from where.
import type { Context } from "hono";
import { userOf } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { networksOf } from "../../http/rate-limit.ts";
import { deviceKind } from "../device.ts";
import type { InSession, Origin } from "../service/index.ts";

export function originOf(c: Context<AppEnv>): Origin {
  return { networks: networksOf(c), device: deviceKind(c.req.header("User-Agent")) };
}

/** The session of a route behind `requireStepUp`, which no token without a session passes. */
export function sessionOf(c: Context<AppEnv>): InSession {
  const { userId, sessionId } = userOf(c);
  if (sessionId === null) throw new Error("route without requireStepUp");
  return { userId, sessionId };
}
