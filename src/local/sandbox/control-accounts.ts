// Controls over an account: recreated under a new id, opted in or out, amended.
import { z } from "zod";
import { announce, report } from "./announce.ts";
import { disableAccount, enableAccount, recreateAccount } from "./bank.ts";
import { accountBodyOf } from "./bodies.ts";
import { delivery, flag, readControl, refuse } from "./control-input.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import { jsonResponse } from "./wire.ts";

function chosenAccount(store: Services["store"], c: SandboxContext) {
  const account = store.account(Number(c.req.param("account")));
  const connection = account === undefined ? undefined : store.connection(account.id_connection);
  return account === undefined || connection === undefined ? undefined : { account, connection };
}

const noAccount = () => refuse(404, "not_found", "No such account.");

function mountRecreation(app: SandboxApp, services: Services): void {
  const { store } = services;
  app.post("/accounts/:account/recreate", async (c) => {
    const found = chosenAccount(store, c);
    if (found === undefined) return noAccount();
    const input = await readControl(
      c,
      z.strictObject({ ...delivery, disabled: flag.default(false) }),
    );
    if (input instanceof Response) return input;
    const id = recreateAccount(store, found.account, input.disabled, c.var.nowMs);
    const announcement = await announce(services, found.connection.id, input, c.var.nowMs);
    return c.json({
      connection_id: found.connection.id,
      old_account: found.account.id,
      account: id,
      ...announcement,
    }, 201);
  });
}

function mountSwitch(app: SandboxApp, { store, webhooks }: Services): void {
  for (const [path, enable] of [["enable", true], ["disable", false]] as const) {
    app.post(`/accounts/:account/${path}`, async (c) => {
      const found = chosenAccount(store, c);
      if (found === undefined) return noAccount();
      const changed = enable
        ? enableAccount(store, found.account)
        : disableAccount(store, found.account, c.var.nowMs);
      if (!changed) return refuse(409, "unchanged", "The account is in that state already.");
      const id = webhooks.enqueueAccount(
        enable ? "account-enabled" : "account-disabled",
        found.account.id,
        found.connection,
        c.var.nowMs,
      );
      return c.json({
        connection_id: found.connection.id,
        account: found.account.id,
        ...report(await webhooks.deliver([id])),
      });
    });
  }
}

function mountAmendment(app: SandboxApp, { store }: Services): void {
  app.post("/accounts/:account/amend", async (c) => {
    const found = chosenAccount(store, c);
    if (found === undefined) return noAccount();
    const input = await readControl(
      c,
      z.strictObject({
        name: z.string().min(1).optional(),
        iban: z.string().nullable().optional(),
        number: z.string().optional(),
        owner: z.string().optional(),
        currency: z.string().regex(/^[A-Z]{3}$/u).optional(),
        balance_cents: z.coerce.number().int().optional(),
      }),
    );
    if (input instanceof Response) return input;
    for (const [name, value] of Object.entries(input)) {
      if (value !== undefined) {
        store.run(
          `UPDATE bank_accounts SET ${name} = ? WHERE id = ?`,
          value,
          found.account.bank_account,
        );
      }
    }
    return jsonResponse(accountBodyOf(store, found.account, found.connection));
  });
}

/** Mounts the controls over accounts. */
export function mountAccountControls(app: SandboxApp, services: Services): void {
  mountRecreation(app, services);
  mountSwitch(app, services);
  mountAmendment(app, services);
}
