// The time inside an object that nobody called: an alarm. Locally the clock of the whole system can be moved, so it is asked for;
// in production that port does not exist and the system's time holds.

export type ClockEnv = { readonly ENVIRONMENT?: string; readonly LOCAL_CLOCK?: { readonly fetch: (url: string) => Promise<{ readonly json: () => Promise<unknown> }> } };

/** Milliseconds since 1970 on the clock that the rest of the system uses. */
export async function alarmNowMs(env: ClockEnv): Promise<number> {
  if (env.LOCAL_CLOCK === undefined || env.ENVIRONMENT === "production") return Date.now();
  const answer = await (await env.LOCAL_CLOCK.fetch("http://clock/")).json();
  const nowMs = typeof answer === "object" && answer !== null && "now_ms" in answer ? answer.now_ms : null;
  if (typeof nowMs !== "number") throw new TypeError("the local clock answers now_ms");
  return nowMs;
}
