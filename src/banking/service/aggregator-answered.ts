// Whether the aggregator has ever answered. A wrong address or a missing permission is there from
// the first start; an outage of an aggregator that worked before must not take the service out of
// traffic, since points and purchases need no aggregator.
import type { Clock } from "../../kernel/time.ts";

type AnswerParts = {
  /** The database holds a user whom the aggregator made: it answered then. */
  readonly hasRemoteUser: () => Promise<boolean>;
  readonly probe: () => Promise<boolean>;
  readonly clock: Clock;
};

// Anybody may ask `/readyz`; we must not ask the aggregator as often.
const PROBE_EVERY_MS = 1000;

/** Asks until there was an answer, and never again after it. */
export function aggregatorAnswered(
  { hasRemoteUser, probe, clock }: AnswerParts,
): () => Promise<boolean> {
  let answered = false;
  let probedAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (answered) return true;
    answered = await hasRemoteUser();
    const nowMs = clock.nowMs();
    if (answered || nowMs - probedAtMs < PROBE_EVERY_MS) return answered;
    probedAtMs = nowMs;
    if (await probe()) answered = true;
    return answered;
  };
}
