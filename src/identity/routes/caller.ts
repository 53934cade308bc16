// Where a request comes from.
import type { Context } from "hono";
import type { AppEnv } from "../../http/context.ts";
import { networksOf } from "../../http/rate-limit.ts";
import { deviceKind } from "../device.ts";
import type { Origin } from "../service/index.ts";

export function originOf(c: Context<AppEnv>): Origin {
  return { networks: networksOf(c), device: deviceKind(c.req.header("User-Agent")) };
}
