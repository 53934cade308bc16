// The caretaker. Cron only wakes it, because cron itself does not run in the EU; a Durable Object
// in jurisdiction `eu` does.
import { DurableObject } from "cloudflare:workers";
import { compositionFor } from "./composition.ts";
import type { ApplicationEnv } from "./composition.ts";
import { requireJurisdiction } from "./jurisdiction.ts";

export class Steward extends DurableObject<ApplicationEnv> {
  constructor(ctx: DurableObjectState, env: ApplicationEnv) {
    super(ctx, env);
    requireJurisdiction(env, ctx.id);
  }

  /** Runs one bounded round of the periodic work. Safe to call again at any time. */
  async sweep(): Promise<void> {
    const composed = await compositionFor(this.env);
    if (composed.ok) await composed.value.sweep();
  }
}
