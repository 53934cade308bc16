// The sandbox's wire: signature, the aggregator's way of writing JSON, paging. Fails when the
// sandbox stops being as awkward as the real service.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeCursor,
  encodeCursor,
  hasFlag,
  pageLinks,
  parseLimit,
} from "../../../src/local/sandbox/paging.ts";
import { signingSecret, signWebhook } from "../../../src/local/sandbox/signature.ts";
import { Amount, amountFromCents, centsOf, writeJson } from "../../../src/local/sandbox/wire.ts";

describe("the signature of a webhook", () => {
  it("agrees with the two vectors computed from the documented formula", async () => {
    expect(
      await signWebhook({
        secret: "shh",
        path: "/api/webhooks/powens",
        date: "2022-06-27T11:08:52.577831Z",
        payload: '{"connection":{"id":99}}',
      }),
    ).toBe("LhtwnLjaDrgHrge/7yFvbwHG/AsN4EUpXYeFqHR/Uug=");
    expect(
      await signWebhook({
        secret: "shh",
        path: "/webhooks/powens/connection-synced",
        date: "2026-01-15T06:30:00.000001Z",
        payload: '{"wording":"CAFÉ – 3,50 €"}',
      }),
    ).toBe("mqx76fkbOcPciIqErjkTzuRDHvrMNFT5CZNxsQcX0DY=");
  });

  it("covers path, date, body and secret", async () => {
    const call = { secret: "shh", path: "/a", date: "2026-01-15T06:30:00.000001Z", payload: "{}" };
    const base = await signWebhook(call);
    for (
      const other of [{ secret: "shi" }, { path: "/b" }, { date: "2026-01-15T06:30:00.000002Z" }, {
        payload: "{ }",
      }]
    ) {
      expect(await signWebhook({ ...call, ...other })).not.toBe(base);
    }
  });

  it("is made with the first secret of a list", () => {
    expect(signingSecret("new,old")).toBe("new");
    expect(signingSecret("only")).toBe("only");
  });
});

describe("the aggregator's JSON", () => {
  it("has a blank after every colon and comma, and amounts with a decimal point", () => {
    expect(
      writeJson({ id: 1, value: amountFromCents(-5000), list: [1, null, true], text: "a:b,c" }),
    )
      .toBe('{"id": 1, "value": -50.0, "list": [1, null, true], "text": "a:b,c"}');
  });

  it("differs from what JSON.stringify writes again, so that re-serialising breaks the signature", () => {
    const text = writeJson({ id: 1, value: amountFromCents(-5000) });
    expect(JSON.stringify(JSON.parse(text))).not.toBe(text);
    expect(writeJson(JSON.parse(text))).not.toBe(text);
  });

  it("means the same as standard JSON", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(writeJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }));
  });

  it("leaves undefined members out", () => {
    expect(writeJson({ a: undefined, b: 1 })).toBe('{"b": 1}');
  });
});

describe("amounts", () => {
  it("turn cents into the shortest decimal and back", () => {
    expect([0, 5, -5, 10, -1622, -83_795, 100].map((cents) => amountFromCents(cents).text)).toEqual(
      ["0.0", "0.05", "-0.05", "0.1", "-16.22", "-837.95", "1.0"],
    );
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000_000_000, max: 1_000_000_000_000 }),
        (cents) => centsOf(amountFromCents(cents).text) === cents,
      ),
    );
  });

  it("keep a decimal text as it is, and refuse anything else", () => {
    expect(new Amount("-12.345").text).toBe("-12.345");
    expect(new Amount("7").text).toBe("7.0");
    for (const text of ["1e3", "1,5", "", "NaN", "--1", '1, "x": 2']) {
      expect(() => new Amount(text)).toThrow("not a decimal");
    }
    expect(() => amountFromCents(0.5)).toThrow("safe integer");
  });
});

describe("paging", () => {
  it("demands a limit from 1 to 1000", () => {
    expect(parseLimit(null)).toEqual({ ok: false, code: "missingParameter" });
    expect(parseLimit("")).toEqual({ ok: false, code: "missingParameter" });
    for (const text of ["0", "1001", "-1", "1.5", "x"]) {
      expect(parseLimit(text)).toEqual({ ok: false, code: "invalidValue" });
    }
    expect(parseLimit("1000")).toEqual({ ok: true, limit: 1000 });
  });

  it("reads its own cursors and no others", () => {
    expect(decodeCursor(encodeCursor({ date: "2026-03-08", id: 980_787 }))).toEqual({
      date: "2026-03-08",
      id: 980_787,
    });
    for (
      const text of ["", "x", "%%%", btoa("{}"), btoa("[]"), btoa('[{"value":1},{"value":"2"}]')]
    ) expect(decodeCursor(text)).toBeNull();
  });

  it("gives absolute links on its own address that keep the query and drop the offset", () => {
    const links = pageLinks(
      new URL("http://internal/2.0/users/me/transactions?limit=2&all&offset=4"),
      "http://127.0.0.1:8788",
      { date: "2026-03-08", id: 7 },
    );
    const { next, prev } = links as { next: { href: string }; prev: null };
    const url = new URL(next.href);
    expect(prev).toBeNull();
    expect(url.origin).toBe("http://127.0.0.1:8788");
    expect(url.searchParams.get("limit")).toBe("2");
    expect(url.searchParams.has("all")).toBe(true);
    expect(url.searchParams.has("offset")).toBe(false);
    expect(decodeCursor(url.searchParams.get("cursor") ?? "")).toEqual({
      date: "2026-03-08",
      id: 7,
    });
    expect(pageLinks(url, "http://127.0.0.1:8788", null)).toMatchObject({ next: null });
  });

  it("knows flags without a value", () => {
    const flags = (query: string) => hasFlag(new URLSearchParams(query), "all");
    expect([flags("all"), flags("all=true"), flags("all=false"), flags("")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
