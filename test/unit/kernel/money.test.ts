// Cents against exact rational arithmetic: what a float would round must come out right or be
// refused.
import * as fc from "fast-check";
import { describe, it } from "vitest";
import {
  AMOUNT_CENTS_MAX,
  decimalToCents,
  mulDivFloor,
  pointsToCents,
} from "../../../src/kernel/money.ts";

type Parts = { sign: string; whole: string; fraction: string; exponent: number | null };

const parts = fc.record({
  sign: fc.constantFrom("", "+", "-"),
  whole: fc.stringMatching(/^\d{1,15}$/),
  fraction: fc.oneof(
    fc.constant(""),
    fc.stringMatching(/^\d{1,12}$/),
    fc.stringMatching(/^\d{1,2}0{0,10}$/),
  ),
  exponent: fc.option(fc.integer({ min: -20, max: 20 })),
});

function textOf({ sign, whole, fraction, exponent }: Parts): string {
  return `${sign}${whole}${fraction === "" ? "" : `.${fraction}`}${
    exponent === null ? "" : `e${exponent}`
  }`;
}

// The value is numerator / denominator cents, without any rounding.
function exactCents(
  { sign, whole, fraction, exponent }: Parts,
): { numerator: bigint; denominator: bigint } {
  const power = BigInt(exponent ?? 0) - BigInt(fraction.length) + 2n;
  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  return power >= 0n
    ? { numerator: digits * 10n ** power, denominator: 1n }
    : { numerator: digits, denominator: 10n ** -power };
}

describe("decimalToCents", () => {
  it("agrees with exact arithmetic on every decimal, sign and exponent", ({ expect }) => {
    let accepted = 0;
    fc.assert(
      fc.property(parts, (given) => {
        const { numerator, denominator } = exactCents(given);
        const result = decimalToCents(textOf(given));
        const whole = numerator % denominator === 0n;
        const size = numerator < 0n ? -numerator : numerator;
        if (whole && size <= BigInt(AMOUNT_CENTS_MAX) * denominator) {
          accepted += 1;
          expect(result).toEqual({ ok: true, value: Number(numerator / denominator) });
        } else {
          expect(result.ok).toBe(false);
          if (!result.ok) {
            expect(result.error).toMatch(whole ? /^amount_out_of_bounds$/ : /^too_many_decimals$/);
          }
        }
      }),
      { numRuns: 4000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it("reads back every amount of cents that a bank may write", ({ expect }) => {
    fc.assert(
      fc.property(fc.integer({ min: -AMOUNT_CENTS_MAX, max: AMOUNT_CENTS_MAX }), (cents) => {
        const size = Math.abs(cents);
        const text = `${cents < 0 ? "-" : ""}${Math.floor(size / 100)}.${
          String(size % 100).padStart(2, "0")
        }`;
        expect(decimalToCents(text)).toEqual({ ok: true, value: cents });
      }),
    );
  });

  it("takes what floats get wrong", ({ expect }) => {
    for (
      const [text, cents] of [
        ["1.005e2", 10050],
        ["0.29", 29],
        ["-1.10", -110],
        ["4.35", 435],
        ["1e-2", 1],
        ["100e-2", 100],
        ["10.50000", 1050],
        ["0.1e1", 100],
      ] as const
    ) {
      expect(decimalToCents(text), text).toEqual({ ok: true, value: cents });
    }
  });

  it("keeps the bound and no negative zero", ({ expect }) => {
    expect(decimalToCents("10000000.00")).toEqual({ ok: true, value: AMOUNT_CENTS_MAX });
    expect(decimalToCents("10000000.01")).toEqual({ ok: false, error: "amount_out_of_bounds" });
    expect(decimalToCents("1e99")).toEqual({ ok: false, error: "amount_out_of_bounds" });
    const zero = decimalToCents("-0.00");
    expect(zero.ok && Object.is(zero.value, 0)).toBe(true);
  });

  it("refuses more than two decimals rather than rounding", ({ expect }) => {
    for (const text of ["0.001", "1.005", "1e-3", "0.0000000001", "12.345"]) {
      expect(decimalToCents(text), text).toEqual({ ok: false, error: "too_many_decimals" });
    }
  });

  it("refuses what is no decimal", ({ expect }) => {
    for (
      const text of [
        "",
        " ",
        ".",
        ".5",
        "1.",
        "1,50",
        "1 000",
        "0x10",
        "NaN",
        "Infinity",
        "--1",
        "1e",
        "1e999",
        "١٢",
        "1.5€",
        "1_000",
      ]
    ) {
      expect(decimalToCents(text), text).toEqual({ ok: false, error: "not_a_decimal" });
    }
  });
});

describe("mulDivFloor", () => {
  const natural = fc.oneof(fc.maxSafeNat(), fc.nat(1_000_000));

  it("is the floor of the exact quotient, and refuses what no safe integer holds", ({ expect }) => {
    fc.assert(
      fc.property(
        natural,
        natural,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        (a, b, divisor) => {
          const exact = (BigInt(a) * BigInt(b)) / BigInt(divisor);
          if (exact <= BigInt(Number.MAX_SAFE_INTEGER)) {
            expect(BigInt(mulDivFloor(a, b, divisor)))
              .toBe(exact);
          } else {expect(() => mulDivFloor(a, b, divisor)).toThrow(
              "safe integer",
            );}
        },
      ),
    );
  });

  it("keeps the last cent where a float product would lose it", ({ expect }) => {
    expect(mulDivFloor(9_007_199_254_740_991, 9_999, 10_000)).toBe(9_006_298_534_815_516);
  });

  it("refuses negatives, fractions, and a divisor of zero", ({ expect }) => {
    for (
      const [a, b, divisor] of [[-1, 1, 1], [1, -1, 1], [1.5, 1, 1], [1, 1, 0], [1, 1, -1], [
        Number.NaN,
        1,
        1,
      ], [2 ** 53, 1, 1]] as const
    ) {
      expect(() => mulDivFloor(a, b, divisor), `${a} ${b} ${divisor}`).toThrow("mulDivFloor");
    }
  });
});

describe("pointsToCents", () => {
  it("rounds towards zero on both sides and never gives a negative zero", ({ expect }) => {
    expect(pointsToCents(104, 100)).toBe(104);
    expect(pointsToCents(999, 1000)).toBe(99);
    expect(pointsToCents(-999, 1000)).toBe(-99);
    expect(Object.is(pointsToCents(-1, 1000), 0)).toBe(true);
  });
});
