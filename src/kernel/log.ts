// The only way to the log. Platform logs have no EU jurisdiction, so a line may carry opaque ids,
// codes and numbers and nothing else: no names, no addresses, no labels, no message of an error
// (database errors quote their parameters).

/**
 * A text that may be printed whatever its shape: made by `errorClass` and `hostOf` from names that
 * code and settings chose, never from data.
 */
class Vetted {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type LogFields = Readonly<Record<string, string | number | boolean | null | Vetted>> & {
  readonly event?: never;
  readonly level?: never;
};
export type Log = {
  readonly info: (event: string, fields?: LogFields) => void;
  readonly alert: (event: string, fields?: LogFields) => void;
};

// Shapes whose digits mean nothing about a person: our ids and instants.
const OPAQUE = [
  /^[a-z]{3}_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z)?$/,
];
// Everything else that may be printed. Mixed case is left out on purpose: tokens, names and labels
// are written so.
const HARMLESS = [
  // codes, versions, numbers, events such as `connection-synced`
  /^(?:[a-z0-9_]{1,40}(?:[.:/-][a-z0-9_]{1,40}){0,5})?$/,
  // a route's pattern, with the names of its parameters
  /^(?:\/(?:[a-z0-9_.-]{1,40}|:[A-Za-z_]{1,40}(?:\{[^/]{1,40}\})?|\*)){1,8}$|^[/*]$/,
  /^[A-Z][A-Za-z0-9]{0,40}(?:Error|Failure|Exception)$|^Error$/, // the class of a failure
  /^[A-Z]+(?:_[A-Z]+)+$|^(?:ENVIRONMENT|JURISDICTION)$/, // the name of a setting
  /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/,
];
// Ten digits in whatever grouping are a telephone, card or account number; 24 characters without a
// break are a token.
const DIGITS_MAX = 9;
const UNBROKEN = /[A-Za-z0-9]{24,}/;
// An instant in milliseconds has 13 digits and begins with 1; a card number has up to 19.
const NUMBER_MAX = 10_000_000_000_000;

/** A log that writes one JSON line per event. `alert` marks what a person must look at. */
export function jsonLog(write: (line: string) => void): Log {
  const line = (level: string, event: string, fields: LogFields): void => {
    const safe: Record<string, string | number | boolean | null> = {
      level,
      event: redactField(event),
    };
    for (const [name, value] of Object.entries(fields)) {
      safe[name] = value instanceof Vetted ? value.text : redactField(value);
    }
    write(JSON.stringify(safe));
  };
  return {
    info: (event, fields = {}) => line("info", event, fields),
    alert: (event, fields = {}) => line("alert", event, fields),
  };
}

const REDACTED = "[redacted]";

/**
 * Keeps a value only when its shape is one of ours: an id, an instant, a code, a route, a class of
 * error, a setting's name, a number.
 */
export function redactField(
  value: string | number | boolean | null,
): string | number | boolean | null {
  if (typeof value === "number") return Math.abs(value) < NUMBER_MAX ? value : REDACTED;
  if (typeof value !== "string" || OPAQUE.some((shape) => shape.test(value))) return value;
  const harmless = HARMLESS.some((shape) => shape.test(value)) &&
    value.replaceAll(/\D/g, "").length <= DIGITS_MAX && !UNBROKEN.test(value);
  return harmless ? value : REDACTED;
}

/** The class of a failure, never its message: messages quote values. */
export function errorClass(error: unknown): Vetted {
  const name = error instanceof Error ? error.name : typeof error;
  return new Vetted(/^[A-Za-z_$][\w$]{0,80}$/.test(name) ? name : "Error");
}

/** Host and port of an address that a setting names, without its path and query. */
export function hostOf(address: string): Vetted {
  return new Vetted(URL.canParse(address) ? new URL(address).host : "no_address");
}

/** Writes to the console, where the platform collects structured lines. */
export function consoleLog(): Log {
  return jsonLog((line) => console.log(line));
}
