// Cloudflare's entry: hands requests to the application, wakes the caretaker, exports the objects.
import { consoleLog, errorClass } from "./kernel/log.ts";
import { compositionFor } from "./platform/cloudflare/composition.ts";
import type { Environment } from "./platform/cloudflare/environment.ts";
import { inJurisdiction } from "./platform/cloudflare/jurisdiction.ts";

export { OfferBudget } from "./platform/cloudflare/budget-object.ts";
export { Steward } from "./platform/cloudflare/steward-object.ts";
export { UserLedger } from "./platform/cloudflare/user-ledger.ts";

// What a misconfigured deployment answers: nothing about why. The names of the settings are in the
// log.
const MISCONFIGURED = JSON.stringify({
  type: "about:blank",
  title: "Internal error",
  status: 500,
  code: "internal",
  detail: "Internal error",
  request_id: "",
});

export default {
  async fetch(request, env) {
    const composed = await compositionFor(env);
    if (!composed.ok) {
      return new Response(MISCONFIGURED, {
        status: 500,
        headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store" },
      });
    }
    return composed.value.handle(request);
  },
  async scheduled(_controller, env) {
    try {
      // A refused configuration must not even open an object: without its jurisdiction that would
      // be one outside the EU.
      const composed = await compositionFor(env);
      if (!composed.ok) return;
      const namespace = inJurisdiction(env.STEWARD, env["JURISDICTION"] === "eu" ? "eu" : null);
      await namespace.getByName("steward").sweep();
    } catch (error) {
      // The platform prints what leaves, with its message.
      consoleLog().alert("sweep_failed", { error: errorClass(error) });
    }
  },
} satisfies ExportedHandler<Environment>;
