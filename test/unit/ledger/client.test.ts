import { describe, test } from "vitest";
import type { UserId } from "../../../src/kernel/ids.ts";
import { ledgerClient } from "../../../src/ledger/object/client.ts";
import type { LedgerStub } from "../../../src/ledger/object/methods.ts";

const user: UserId = "usr_0197d000-0000-7000-8000-0000000000aa";

/** A namespace whose calls fail with these marks, one after the other, and then answer. */
function failing(...failures: readonly object[]) {
  const left = [...failures];
  let stubs = 0;
  const alerts: string[] = [];
  const namespace = {
    getByName: () => {
      stubs += 1;
      return {
        points: async () => {
          const failure = left.shift();
          if (failure !== undefined) throw Object.assign(new Error("secret text"), failure);
          return { ok: false, error: { code: "erased" } };
        },
      } as unknown as LedgerStub;
    },
  };
  const client = ledgerClient({
    namespace,
    clock: { nowMs: () => 1 },
    log: {
      info: () => {},
      alert: (event, fields) => alerts.push(`${event} ${JSON.stringify(fields)}`),
    },
  });
  return { client, alerts, stubs: () => stubs };
}

describe("ledgerClient()", () => {
  test("tries again what is retryable, with a fresh stub each time", async ({ expect }) => {
    const { client, stubs, alerts } = failing({ retryable: true }, { retryable: true });
    expect(await client.points(user)).toEqual({ ok: false, error: { code: "erased" } });
    expect([stubs(), alerts]).toEqual([3, []]);
  });

  test("gives up after three tries: the platform is unavailable", async ({ expect }) => {
    const { client, stubs } = failing(
      { retryable: true },
      { retryable: true },
      { retryable: true },
      { retryable: true },
    );
    expect(await client.points(user)).toEqual({ ok: false, error: { code: "ledger_unavailable" } });
    expect(stubs()).toBe(3);
  });

  test("never tries an overloaded object again, also when it says retryable: this user's ledger refuses", async ({ expect }) => {
    const { client, stubs } = failing({ retryable: true, overloaded: true });
    expect(await client.points(user)).toEqual({ ok: false, error: { code: "ledger_refused" } });
    expect(stubs()).toBe(1);
  });

  test("an object that throws refuses, and any other failure is the platform's; no message is logged", async ({ expect }) => {
    const thrown = failing({ remote: true });
    expect(await thrown.client.points(user)).toEqual({
      ok: false,
      error: { code: "ledger_refused" },
    });
    const broken = failing({});
    expect(await broken.client.points(user)).toEqual({
      ok: false,
      error: { code: "ledger_unavailable" },
    });
    expect([...thrown.alerts, ...broken.alerts].join()).not.toContain("secret");
    expect(broken.alerts).toHaveLength(1);
  });
});
