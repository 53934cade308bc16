import { env } from "cloudflare:workers";
import { test } from "vitest";
import { newId } from "../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { ledgerClient } from "../../src/ledger/object/client.ts";
import type { Environment } from "../../src/platform/cloudflare/environment.ts";
import { ledgerContract } from "./ledger.ts";

const bindings = env as unknown as Environment;

ledgerContract(test, async () => {
  let nowMs = Date.now();
  const ledger = ledgerClient({
    namespace: bindings.LEDGER,
    clock: { nowMs: () => nowMs },
    log: { info: () => {}, alert: () => {} },
  });
  return {
    ledger,
    user: newId("usr", Date.now(), systemRandomBytes),
    moveTo: (ms) => void (nowMs = ms),
  };
});
