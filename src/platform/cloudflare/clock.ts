// Time on Cloudflare: the system's, or locally the movable clock behind a service binding.
import type { Clock } from "../../kernel/time.ts";

/** The part of the environment that moves time, absent in production. */
export type ClockEnv = { readonly LOCAL_CLOCK?: Fetcher };

type PlatformClock = Clock & {
  /**
   * Learns the local clock's position. Call it once before a request, an alarm or a sweep; free in
   * production.
   */
  readonly refresh: () => Promise<void>;
  readonly advance: (ms: number) => Promise<number>;
};

type ClockAnswer = { readonly now_ms: number };

/** One clock per isolate. Between two refreshes it runs with the system's. */
export function platformClock(env: ClockEnv): PlatformClock {
  let offsetMs = 0;
  const binding = env.LOCAL_CLOCK;
  const ask = async (request: Promise<Response>): Promise<number> => {
    const { now_ms: nowMs }: ClockAnswer = await (await request).json();
    offsetMs = nowMs - Date.now();
    return nowMs;
  };
  return {
    nowMs: () => Date.now() + offsetMs,
    refresh: async () => {
      if (binding !== undefined) await ask(binding.fetch("http://clock/"));
    },
    advance: async (ms) => {
      if (binding === undefined) throw new Error("no local clock here");
      return ask(
        binding.fetch("http://clock/advance", { method: "POST", body: JSON.stringify({ ms }) }),
      );
    },
  };
}
