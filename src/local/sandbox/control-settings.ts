// Settings of the sandbox that hold for everything until changed.
import { z } from "zod";
import { flag, readControl } from "./control-input.ts";
import type { SandboxApp, Services } from "./context.ts";
import { writeJson } from "./wire.ts";

/** Mounts `/settings`. */
export function mountSettings(app: SandboxApp, { store }: Services): void {
  app.post("/settings", async (c) => {
    const waitMs = z.coerce.number().int().min(50).max(120_000).optional();
    const input = await readControl(
      c,
      z.strictObject({
        resend_changed: flag.optional(),
        account_synced: flag.optional(),
        no_account_status: z.coerce.number().refine((value) => value === 400 || value === 409)
          .optional(),
        timeout_ms: waitMs,
        retry_ms: waitMs,
      }),
    );
    if (input instanceof Response) return input;
    for (const [name, value] of Object.entries(input)) store.putSetting(name, String(value));
    const settings = store.all<{ name: string; value: string }>(
      "SELECT * FROM settings WHERE instr(name, ':') = 0 ORDER BY name",
    );
    return new Response(
      writeJson(Object.fromEntries(settings.map(({ name, value }) => [name, value]))),
      { headers: { "content-type": "application/json" } },
    );
  });
}
