// A user's accounts: the switch, and who of several holders earns (API.md, "Bank connections").
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { userOf } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { problem } from "../../http/problem.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import { isId } from "../../kernel/ids.ts";
import { PROBLEM_DETAILS } from "../../texts/texts.ts";
import type { BankingService } from "../service/index.ts";
import { accountSchema, idPath, presentAccount, tags } from "./schemas.ts";

const common = { tags, security: userSecurity };
const switchRoute = createRoute({
  ...common,
  method: "patch",
  path: "/v1/bank-accounts/{id}",
  summary: "Let an account earn, or not",
  description:
    "Rows seen while it is off are dropped for good. Of several users who hold one bank account, one earns; switched off, the right passes to the next one. `conflict` while another holder earns: see `earning-transfer`.",
  request: { params: idPath, body: body(z.strictObject({ earning: z.boolean() })) },
  responses: { 200: answer(accountSchema, "The account"), ...problems(401, 404, 409, 422, 503) },
});
const askRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/bank-accounts/{id}/earning-transfer",
  summary: "Ask the holder who earns with this bank account to let you earn instead",
  description:
    "They are asked by e-mail and see `transfer_asked` in their connections; neither side learns who the other is. Unanswered for 14 days, it changes nothing. The same request again answers the same.",
  request: { params: idPath },
  responses: {
    200: answer(accountSchema, "The account, with the open request"),
    ...problems(401, 404, 409, 503),
  },
});
const answerRoute = createRoute({
  ...common,
  method: "post",
  path: "/v1/bank-accounts/{id}/earning-transfer/answer",
  summary: "Answer another holder's request",
  description:
    "Accepted, purchases that are seen from now on earn for the other holder; what you earned stays yours. The same answer again answers the same.",
  request: { params: idPath, body: body(z.strictObject({ accept: z.boolean() })) },
  responses: {
    200: answer(accountSchema, "The account after it"),
    ...problems(400, 401, 404, 409, 413, 415, 422, 503),
  },
});

type AccountResult = Awaited<
  ReturnType<BankingService["setEarning" | "askTransfer" | "answerTransfer"]>
>;

export function mountAccounts(router: OpenAPIHono<AppEnv>, service: BankingService): void {
  router.openapi(switchRoute, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("acc", id)) return problem(c, "not_found") as never;
    return present(
      c,
      await service.setEarning(userOf(c).userId, id, c.req.valid("json").earning),
    ) as never;
  });
  router.openapi(askRoute, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("acc", id)) return problem(c, "not_found") as never;
    return present(c, await service.askTransfer(userOf(c).userId, id)) as never;
  });
  router.openapi(answerRoute, async (c) => {
    const { id } = c.req.valid("param");
    if (!isId("acc", id)) return problem(c, "not_found") as never;
    return present(
      c,
      await service.answerTransfer(userOf(c).userId, id, c.req.valid("json").accept),
    ) as never;
  });
}

function present(c: Context<AppEnv>, result: AccountResult): Response {
  if (result.ok) return c.json(presentAccount(result.value, c.get("locale")), 200);
  const { code } = result.error;
  switch (code) {
    case "not_found":
    case "transfer_not_possible":
    case "transfer_in_progress":
    case "transfer_not_asked":
      return problem(c, code);
    case "shared":
      return problem(c, "conflict", { detail: PROBLEM_DETAILS.both("account_shared") });
    case "erased":
    case "ledger_refused":
    case "ledger_unavailable":
      return problem(c, "ledger_unavailable");
  }
}
