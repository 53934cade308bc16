// Runs operators' acts: read the present catalogue, decide, write on the condition that it is still
// the present one, else decide again. So every decision (a name is free, an offer exists, a number
// is next) holds at the moment it is written.
import type { AuditEvent } from "../audit/ports.ts";
import { sha256Hex } from "../kernel/hash.ts";
import { newId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { Clock } from "../kernel/time.ts";
import type { Act, Decision } from "./decision.ts";
import type { CatalogueError } from "./errors.ts";
import type { CatalogueCache, LoadedCatalogue } from "./compiled-catalogue.ts";
import type { CatalogueStore } from "./store.ts";

/** Who asks, and what makes a repeat of the request recognisable. */
export type Actor = {
  readonly subject: string;
  readonly listedPerson: boolean;
  readonly path: string;
  readonly idempotencyKey: string | null;
};

export type CatalogueService = {
  /** Decides on the present catalogue and writes what was decided, with its audit event. */
  readonly act: <T>(
    actor: Actor,
    decide: (loaded: LoadedCatalogue, act: Act) => Decision<T>,
  ) => Promise<Result<T, CatalogueError>>;
  /** Decides as `act` would and writes nothing: ids of what would be made are not kept. */
  readonly preview: <T>(
    actor: Actor,
    decide: (loaded: LoadedCatalogue, act: Act) => Decision<T>,
  ) => Promise<Result<T, CatalogueError>>;
  /** The catalogue as of now: one read of its version. */
  readonly now: () => Promise<LoadedCatalogue>;
  /** The audit event of a call that only read. */
  readonly note: (event: AuditEvent) => Promise<void>;
};

type CatalogueServiceDeps = {
  readonly store: CatalogueStore;
  readonly cache: CatalogueCache;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

// Operators are few: more than this many collisions in one request means that something else is
// wrong.
const TRIES_MAX = 5;

export function catalogueService(deps: CatalogueServiceDeps): CatalogueService {
  const { store, cache, clock, random } = deps;

  function actOf(actor: Actor): Act {
    const nowMs = clock.nowMs();
    return {
      operator: actor.subject,
      listedPerson: actor.listedPerson,
      nowMs,
      requestKey: actor.idempotencyKey === null
        ? null
        : sha256Hex(JSON.stringify([actor.subject, actor.path, actor.idempotencyKey])),
      newId: (prefix) => newId(prefix, nowMs, random),
    };
  }

  return {
    async act(actor, decide) {
      const act = actOf(actor);
      for (let attempt = 0; attempt < TRIES_MAX; attempt++) {
        const loaded = await cache.current(0);
        const decided = decide(loaded, act);
        if (!decided.ok) return decided;
        const { value, change, audit } = decided.value;
        const event: AuditEvent = { actorKind: "operator", actor: actor.subject, ...audit };
        // Terms, aliases and stops take effect when their commit does: not during a halt.
        if (change !== null && loaded.paused) return err({ code: "programme_paused" });
        if (change === null) {
          await store.note(event, act.nowMs);
          return ok(value);
        }
        if ((await store.commit(loaded.version, change, event, act.nowMs)) === "committed") {
          cache.learn(loaded.version + 1);
          return ok(value);
        }
      }
      return err({ code: "busy" });
    },
    async preview(actor, decide) {
      const decided = decide(await cache.current(0), actOf(actor));
      return decided.ok ? ok(decided.value.value) : decided;
    },
    now: () => cache.current(0),
    note: (event) => store.note(event, clock.nowMs()),
  };
}
