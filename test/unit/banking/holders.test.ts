// Who of several holders of one bank account earns next, and which rows are another holder's.
import { describe, it } from "vitest";
import { nextHolder, sharedRowTag, wasTaken } from "../../../src/banking/connections/holders.ts";
import type { Holder } from "../../../src/banking/connections/holders.ts";
import type { AccountId, ConnectionId, UserId } from "../../../src/kernel/ids.ts";
import type { Keyring } from "../../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";

const holder = (name: "a" | "b" | "c", change: Partial<Holder> = {}): Holder => ({
  accountId: `acc_${name}` as AccountId,
  userId: `usr_${name}` as UserId,
  connectionId: `con_${name}` as ConnectionId,
  earning: false,
  offByChoice: false,
  createdAtMs: 1,
  linked: true,
  ...change,
});

describe("the next holder", () => {
  it("is nobody while somebody earns, and when nobody waits", ({ expect }) => {
    expect(nextHolder([holder("a"), holder("b", { earning: true })], null)).toBeNull();
    expect(nextHolder([], null)).toBeNull();
    expect(
      nextHolder([holder("a", { linked: false }), holder("b", { offByChoice: true })], null),
    ).toBeNull();
  });
  it("is the first in order whose account is linked and waits, with all accounts that wait", ({ expect }) => {
    const gone = holder("a", { linked: false, earning: true });
    const former = holder("b", { linked: false, accountId: "acc_b0" });
    const present = holder("b");
    expect(nextHolder([gone, former, holder("c"), present], null)).toEqual({
      userId: "usr_b",
      accounts: [present],
    });
  });
  it("is the preferred one, unless that one has left", ({ expect }) => {
    expect(nextHolder([holder("a"), holder("b")], "usr_b")?.userId).toBe("usr_b");
    expect(nextHolder([holder("a"), holder("b", { linked: false })], "usr_b")?.userId).toBe(
      "usr_a",
    );
  });
});

describe("a row of another holder", () => {
  const row = { kind: "purchase", amountCents: 5000, purchasedOn: "2026-11-20" } as const;
  const keys = new Map([["old", systemRandomBytes(32)], ["new", systemRandomBytes(32)]]);
  const ring = (active: string): Keyring => ({ active, keys });
  it("is known by account, kind, cents and day, also after the key was rotated", ({ expect }) => {
    const account = { fingerprint: "f", takenRows: [sharedRowTag(ring("old"), "f", row)] };
    expect(wasTaken(ring("new"), account, row)).toBe(true);
    for (
      const other of [
        { ...row, kind: "refund" as const },
        { ...row, amountCents: 5001 },
        { ...row, purchasedOn: "2026-11-21" },
      ]
    ) expect(wasTaken(ring("new"), account, other)).toBe(false);
    expect(wasTaken(ring("new"), { ...account, fingerprint: "g" }, row)).toBe(false);
    expect(wasTaken(ring("new"), { fingerprint: "f", takenRows: [] }, row)).toBe(false);
  });
});
