// "Never answered" is about the first start: an aggregator that worked once is not asked again.
import { describe, it } from "vitest";
import { powensProbe } from "../../../src/banking/aggregators/powens/probe.ts";
import { aggregatorAnswered } from "../../../src/banking/service/aggregator-answered.ts";

describe("aggregatorAnswered()", () => {
  const parts = (probes: boolean[], users: boolean[] = []) => {
    const seen = { probes: 0, nowMs: 0 };
    const answered = aggregatorAnswered({
      hasRemoteUser: async () => users.shift() ?? false,
      probe: async () => {
        seen.probes += 1;
        return probes.shift() ?? false;
      },
      clock: { nowMs: () => seen.nowMs },
    });
    return { answered, seen };
  };

  it("asks until there is an answer, at most once a second, and never again", async ({ expect }) => {
    const { answered, seen } = parts([false, true]);
    expect([await answered(), await answered(), seen.probes]).toEqual([false, false, 1]);
    seen.nowMs = 999;
    expect([await answered(), seen.probes]).toEqual([false, 1]);
    seen.nowMs = 1000;
    expect([await answered(), seen.probes]).toEqual([true, 2]);
    seen.nowMs = 1_000_000;
    expect([await answered(), seen.probes]).toEqual([true, 2]);
  });

  it("does not ask when the aggregator has made a user for us before", async ({ expect }) => {
    const { answered, seen } = parts([false], [false, true]);
    expect([await answered(), await answered(), await answered(), seen.probes]).toEqual([
      false,
      true,
      true,
      1,
    ]);
  });
});

describe("powensProbe()", () => {
  const probeOf = (answer: () => Promise<Response>) => {
    const asked: string[] = [];
    const probe = powensProbe({
      apiUrl: "https://acme.biapi.pro",
      fetch: async (url) => {
        asked.push(url);
        return answer();
      },
      timeLimit: (ms) => AbortSignal.timeout(ms),
    });
    return { probe, asked };
  };

  it("takes every answer that is not the service's own failure", async ({ expect }) => {
    for (
      const [status, answered] of [[200, true], [401, true], [404, true], [500, false]] as const
    ) {
      const { probe, asked } = probeOf(async () => new Response("x", { status }));
      expect([status, await probe()]).toEqual([status, answered]);
      expect(asked).toEqual(["https://acme.biapi.pro/2.0/connectors?limit=1"]);
    }
  });

  it("says no when nobody answers", async ({ expect }) => {
    const { probe } = probeOf(() => Promise.reject(new TypeError("connection refused")));
    expect(await probe()).toBe(false);
  });
});
