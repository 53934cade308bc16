// What every part of the application is built from, made once.
import type { AppServices } from "../../app.ts";
import { auditStatement } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import type { Config } from "../../config.ts";
import { openDatabase } from "../../db/database.ts";
import { rowSeals } from "../../db/row-seals.ts";
import { openBodies } from "../../http/bodies.ts";
import type { StartTimer } from "../../http/bodies.ts";
import { rememberCallers } from "../../http/callers.ts";
import { idempotencyStore } from "../../http/idempotency-store.ts";
import { signedCursors } from "../../http/paging.ts";
import { haltsStore } from "../../operations/halts/store.ts";
import { operatorTokens } from "../../identity/operator-tokens.ts";
import type { Platform } from "../ports.ts";

/** Routers with the paths they are mounted on, in order. */
export type Routers = AppServices["routers"];
export type Shared = ReturnType<typeof sharedParts>;

const startTimer: StartTimer = (afterMs, run) => {
  const timer = setTimeout(run, afterMs);
  return () => clearTimeout(timer);
};

export function sharedParts(platform: Platform, config: Config) {
  const { clock, random, log } = platform;
  const db = openDatabase(platform.db);
  const seals = rowSeals({
    keyring: config.keyrings.index,
    unsealedBeforeMs: config.unsealedBeforeMs,
    log,
  });
  return {
    platform,
    config,
    db,
    seals,
    bodies: openBodies(startTimer),
    callers: rememberCallers(clock),
    halts: haltsStore(db, random, seals),
    cursors: signedCursors(config.keyrings.index),
    idempotency: { store: idempotencyStore(db, config.keyrings.encryption, random), clock },
    note: async (event: AuditEvent): Promise<void> =>
      void (await auditStatement(db, event, clock.nowMs(), random)),
    operatorTokens: operatorTokens(config, clock, platform.fetch),
    pointsPerEuro: config.programme.pointsPerEuro,
  };
}
