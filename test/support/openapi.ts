// The API's document without a running system: composes the application over a platform of which
// nothing is ever asked.
import { parseConfig } from "../../src/config.ts";
import { compose } from "../../src/platform/compose/index.ts";
import type { Platform } from "../../src/platform/ports.ts";
import { localSettings, makeSecrets } from "../../src/local/settings.ts";

/** The OpenAPI 3.1 document of every mounted route. */
export async function describeApi(): Promise<unknown> {
  const config = parseConfig({
    ...localSettings("http://127.0.0.1:8787", "http://127.0.0.1:8788"),
    ...(await makeSecrets()),
  });
  if (!config.ok) throw new Error(config.error.fields.join());
  const untouched = new Proxy({}, {
    get: () => {
      throw new Error("describing the API touched the platform");
    },
  });
  const platform = {
    db: untouched,
    ledger: {},
    clock: { nowMs: () => 0 },
    random: () => {
      throw new Error("no random here");
    },
    log: { info: () => {}, alert: () => {} },
    limiters: { api: {}, auth: {} },
    localClock: null,
  } as unknown as Platform;
  return compose(platform, config.value).openApi();
}
