// Nothing about a person reaches the log, whoever hands it over by mistake; what operators need
// still does.
import * as fc from "fast-check";
import { describe, it } from "vitest";
import { newId } from "../../../src/kernel/ids.ts";
import { errorClass, hostOf, jsonLog, redactField } from "../../../src/kernel/log.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";

const upper = fc.stringMatching(/^[A-Z0-9]{11,26}$/);
const digits = (length: number) => fc.stringMatching(new RegExp(`^[1-9][0-9]{${length - 1}}$`));
const separator = fc.constantFrom("", " ", "-", ".", "/", ":", "_");
const grouped = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, separator).map(([value, by]) => value.match(/.{1,4}/g)?.join(by) ?? value);

const personal = {
  "an e-mail address": fc.emailAddress(),
  "a French IBAN": fc.tuple(digits(2), digits(10), upper).map(([check, bank, rest]) =>
    `FR${check}${bank}${rest.slice(0, 13)}`
  ),
  "an IBAN in groups": grouped(
    fc.tuple(fc.stringMatching(/^[A-Z]{2}\d{2}$/), digits(14)).map(([head, rest]) => head + rest),
  ),
  "a foreign IBAN": fc.tuple(fc.stringMatching(/^[A-Z]{2}\d{2}[A-Z]{4}$/), digits(14)).map((
    [head, rest],
  ) => head + rest),
  "a card number": fc.integer({ min: 13, max: 19 }).chain((length) => grouped(digits(length))),
  "a telephone": grouped(digits(11)),
  "a bank's label": fc.tuple(
    fc.constantFrom("CB", "PAIEMENT CB", "ACHAT", "CARTE"),
    fc.stringMatching(/^[A-Z]{3,12}$/),
    fc.stringMatching(/^[0-3][0-9]\/[01][0-9]$/),
  ).map((parts) => parts.join(" ")),
  "a label of one word": fc.stringMatching(/^[A-Z][A-Z*&']{5,20}$/),
  "a name": fc.tuple(
    fc.stringMatching(/^[A-Z][a-z]{2,9}$/),
    fc.constantFrom("", " ", "-", "."),
    fc.stringMatching(/^[A-Z][a-z]{2,9}$/),
  ).map((parts) => parts.join("")).filter((name) => !/(?:Error|Failure|Exception)$/.test(name)),
  "an opaque token": fc.uint8Array({ minLength: 24, maxLength: 48 }).map((bytes) =>
    Buffer.from(bytes).toString("base64url")
  ),
  "a hexadecimal token": fc.uint8Array({ minLength: 16, maxLength: 48 }).map((bytes) =>
    Buffer.from(bytes).toString("hex")
  ),
  "a token of letters only": fc.stringMatching(/^[a-z]{24,60}$/),
  "a signed token": fc.tuple(fc.base64String({ minLength: 20 }), fc.base64String({ minLength: 20 }))
    .map(([head, body]) => `eyJ${head}.${body}.x`.replaceAll("=", "")),
  "a message": fc.constantFrom(
    "D1_ERROR: UNIQUE constraint failed: users.email",
    "insert into users values ('x')",
    "Failed query: select 1 params: a@b.c",
  ),
} as const;

describe("redactField", () => {
  for (const [what, planted] of Object.entries(personal)) {
    it(`lets no ${what.replace(/^an? /, "")} through`, ({ expect }) => {
      fc.assert(
        fc.property(planted as fc.Arbitrary<string>, (text) => {
          expect(redactField(text)).toBe("[redacted]");
        }),
        { numRuns: 500 },
      );
    });
  }

  it("lets no card number through as a number", ({ expect }) => {
    fc.assert(fc.property(fc.integer({ min: 10 ** 13, max: Number.MAX_SAFE_INTEGER }), (value) => {
      expect(redactField(value)).toBe("[redacted]");
    }));
    expect(redactField(1_795_435_200_000)).toBe(1_795_435_200_000);
  });

  it("keeps what operators need", ({ expect }) => {
    const kept = [
      newId("usr", Date.now(), systemRandomBytes),
      "connection-synced",
      "powens",
      "hmac_mismatch",
      "/v1/purchases/:id",
      "/v1/*",
      "/webhooks/powens/connection-synced",
      "/v1/erasures/:id{[a-z0-9_]+}",
      "2026-11-23",
      "2026-11-23T11:32:48.000Z",
      "1.0.0",
      "0",
      "12345",
      "",
      "TypeError",
      "DrizzleQueryError",
      "InvariantError",
      "DatabaseFailure",
      "Error",
      "POWENS_CLIENT_SECRET",
      "JURISDICTION",
      "POST",
      "ledger:unavailable",
    ];
    for (const value of kept) expect(redactField(value), value).toBe(value);
    for (const value of [0, -5, 1_000_000_000, true, false, null]) {
      expect(redactField(value)).toBe(value);
    }
  });
});

describe("jsonLog", () => {
  it("writes one line of JSON per event, with nothing personal in a field or in the event", ({ expect }) => {
    fc.assert(
      fc.property(fc.oneof(...(Object.values(personal) as fc.Arbitrary<string>[])), (text) => {
        const lines: string[] = [];
        const log = jsonLog((line) => lines.push(line));
        log.info("request_failed", { detail: text, route: "/v1/me" });
        log.alert(text);
        expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
          { level: "info", event: "request_failed", detail: "[redacted]", route: "/v1/me" },
          { level: "alert", event: "[redacted]" },
        ]);
      }),
    );
  });

  it("knows an error by its class only", ({ expect }) => {
    class NotCapable extends Error {
      override readonly name = "NotCapable";
    }
    class Talkative extends Error {
      override readonly name = "no route to a@example.com";
    }
    const printed = (error: unknown): unknown => {
      const lines: string[] = [];
      jsonLog((line) => lines.push(line)).info("failed", { error: errorClass(error) });
      return (JSON.parse(lines[0] ?? "{}") as { error: unknown }).error;
    };
    expect(printed(new TypeError("a@example.com"))).toBe("TypeError");
    expect(printed(new NotCapable("a@example.com"))).toBe("NotCapable");
    expect(printed(new DOMException("a@example.com", "TimeoutError"))).toBe("TimeoutError");
    expect(printed(new Talkative())).toBe("Error");
    expect(printed("a@example.com")).toBe("string");
    expect(printed(null)).toBe("object");
  });

  it("knows an address by its host and port only", ({ expect }) => {
    const lines: string[] = [];
    const log = jsonLog((line) => lines.push(line));
    for (
      const address of ["http://127.0.0.1:18788/2.0/users/7?token=t", "https://a.biapi.pro/x", "x"]
    ) {
      log.info("called", { host: hostOf(address) });
    }
    expect(lines.map((line) => (JSON.parse(line) as { host: string }).host)).toEqual([
      "127.0.0.1:18788",
      "a.biapi.pro",
      "no_address",
    ]);
  });
});
