// The caretaker. Cron only wakes it, because cron itself does not run in the EU; a Durable Object
// in jurisdiction `eu` does.
import { DurableObject } from "cloudflare:workers";
import { consoleLog, errorClass } from "../../kernel/log.ts";
import { compositionFor } from "./composition.ts";
import type { ApplicationEnv } from "./composition.ts";
import { requireJurisdiction } from "./jurisdiction.ts";

export class Steward extends DurableObject<ApplicationEnv> {
  constructor(ctx: DurableObjectState, env: ApplicationEnv) {
    super(ctx, env);
    requireJurisdiction(env, ctx.id);
  }

  /**
   * Runs one bounded round of the periodic work. Safe to call again at any time. A failure ends
   * here: the platform prints what leaves, and a database error's message quotes SQL and its
   * parameters.
   */
  async sweep(): Promise<void> {
    try {
      const composed = await compositionFor(this.env);
      if (composed.ok) await composed.value.sweep();
    } catch (error) {
      consoleLog().alert("sweep_failed", { error: errorClass(error) });
    }
  }
}
