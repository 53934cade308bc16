// How the aggregator writes JSON: a blank after every colon and comma, and amounts as decimal
// numbers that always show a decimal point (-50.0). A receiver that parses and serialises again
// before checking the signature fails on both. Pure.

const decimal = /^-?\d{1,16}(\.\d{1,12})?$/u;

/** A decimal number kept as its text, so that no float arithmetic ever touches money. */
export class Amount {
  readonly text: string;

  /** @param text a plain decimal such as `-12.5`; anything else throws */
  constructor(text: string) {
    if (!decimal.test(text)) throw new Error("not a decimal number");
    this.text = text.includes(".") ? text : `${text}.0`;
  }
}

/** The amount of so many hundredths: -5000 is `-50.0`, -1622 is `-16.22`. */
export function amountFromCents(cents: number): Amount {
  if (!Number.isSafeInteger(cents)) throw new Error("cents must be a safe integer");
  const digits = String(Math.abs(cents)).padStart(3, "0");
  const fraction = digits.slice(-2).replace(/0$/u, "");
  return new Amount(
    `${cents < 0 ? "-" : ""}${digits.slice(0, -2)}.${fraction === "" ? "0" : fraction}`,
  );
}

/**
 * The hundredths in a decimal text; more than two decimals are cut, which only balances and totals
 * of the sandbox may do.
 */
export function centsOf(text: string): number {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const cents = Number(whole) * 100 + Number(fraction.padEnd(2, "0").slice(0, 2));
  return text.startsWith("-") ? -cents : cents;
}

/**
 * Writes JSON as the aggregator does. `undefined` members are left out; `Amount` is written as a
 * bare number.
 */
export function writeJson(value: unknown): string {
  if (value instanceof Amount) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${
      members.map(([name, member]) => `${JSON.stringify(name)}: ${writeJson(member)}`).join(", ")
    }}`;
  }
  return JSON.stringify(value ?? null);
}

/** A JSON answer in the aggregator's writing. */
export function jsonResponse(
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  return new Response(writeJson(body), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  });
}

/** The aggregator's error body; `request_id` is hexadecimal text, as seen on the live sandbox. */
export function errorResponse(
  status: number,
  code: string,
  description: string,
  message?: string,
): Response {
  const requestId = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  return jsonResponse({
    code,
    description,
    message,
    request_id: requestId.toString(16).padStart(8, "0"),
  }, status);
}
