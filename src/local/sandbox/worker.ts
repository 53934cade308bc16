// The sandbox Worker: everything is handled by the one object that holds the whole state, so that a
// restart on the same folder finds the bank as it was. Local only; it plays the aggregator, the
// mail provider, the operators' certificates and the bank's customers.
import { DurableObject } from "cloudflare:workers";
import { createSandbox } from "./app.ts";
import type { SandboxEnv } from "./env.ts";

/** The bank, its users, the mailbox and the webhook queue. */
export class SandboxBank extends DurableObject<SandboxEnv> {
  readonly #sandbox: ReturnType<typeof createSandbox>;

  constructor(ctx: DurableObjectState, env: SandboxEnv) {
    super(ctx, env);
    this.#sandbox = createSandbox(ctx, env);
  }

  override fetch(request: Request): Response | Promise<Response> {
    return this.#sandbox.app.fetch(request);
  }

  override async alarm(): Promise<void> {
    await this.#sandbox.webhooks.onAlarm();
  }
}

export default {
  fetch(request, env): Promise<Response> {
    return env.BANK.get(env.BANK.idFromName("bank")).fetch(request);
  },
} satisfies ExportedHandler<SandboxEnv>;
