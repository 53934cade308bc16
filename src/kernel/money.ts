// Money is integer cents, exactly. A bank's decimal text becomes cents without ever passing through
// a float.
import { assert } from "./assert.ts";
import { err, ok } from "./result.ts";
import type { Result } from "./result.ts";

/**
 * No card purchase is larger: 10 million euros. Products of amounts and rates beyond 2^53 go
 * through BigInt.
 */
export const AMOUNT_CENTS_MAX = 1_000_000_000;
/** No balance or grant is larger; far below 2^53, so sums of many stay exact. */
export const POINTS_MAX = 1_000_000_000_000;

export type DecimalError = "not_a_decimal" | "too_many_decimals" | "amount_out_of_bounds";

const DECIMAL = /^([+-]?)(\d{1,15})(?:\.(\d{1,12}))?(?:[eE]([+-]?\d{1,2}))?$/;

/**
 * Signed integer cents of a decimal text such as `-12.5`. More than two significant decimals, or an
 * absolute value over `AMOUNT_CENTS_MAX`, is refused rather than rounded.
 */
export function decimalToCents(text: string): Result<number, DecimalError> {
  const parts = DECIMAL.exec(text.trim());
  if (parts === null) return err("not_a_decimal");
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] = parts;
  const shift = Number(exponentText) + 2;
  const digits = whole + fraction;
  const point = whole.length + shift;
  const padded = point > digits.length ? digits.padEnd(point, "0") : digits;
  const integer = point > 0 ? padded.slice(0, point) : "0";
  const rest = point > 0 ? padded.slice(point) : padded;
  if (/[1-9]/.test(rest)) return err("too_many_decimals");
  if (integer.replace(/^0+/, "").length > 15) return err("amount_out_of_bounds");
  const cents = Number(integer);
  if (cents > AMOUNT_CENTS_MAX) return err("amount_out_of_bounds");
  return ok(sign === "-" && cents !== 0 ? -cents : cents);
}

/**
 * floor(a x b / divisor) for non-negative safe integers, exact also when the product exceeds 2^53.
 */
export function mulDivFloor(a: number, b: number, divisor: number): number {
  assert(
    Number.isSafeInteger(a) && Number.isSafeInteger(b) && a >= 0 && b >= 0,
    "factor_invalid",
    "mulDivFloor was given a factor that is not a non-negative safe integer",
  );
  assert(
    Number.isSafeInteger(divisor) && divisor > 0,
    "divisor_invalid",
    "mulDivFloor was given a divisor that is not a positive safe integer",
  );
  const result = Number((BigInt(a) * BigInt(b)) / BigInt(divisor));
  assert(
    Number.isSafeInteger(result),
    "result_unsafe",
    "the result of mulDivFloor is not a safe integer",
  );
  return result;
}

/**
 * Points as euro cents at the programme's rate, rounded down: 100 points per euro make 104 points
 * 104 cents.
 */
export function pointsToCents(points: number, pointsPerEuro: number): number {
  const cents = mulDivFloor(Math.abs(points), 100, pointsPerEuro);
  return points < 0 && cents !== 0 ? -cents : cents;
}
