// The only way to the log. Platform logs have no EU jurisdiction, so a line may carry opaque ids, codes and numbers and
// nothing else: no names, no addresses, no labels, no message of an error (database errors quote their parameters).

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;
export type Log = {
  readonly info: (event: string, fields?: LogFields) => void;
  readonly alert: (event: string, fields?: LogFields) => void;
};

// Opaque ids, codes, dates and versions. Whatever else somebody hands over by mistake is replaced, not printed.
const HARMLESS = /^[A-Za-z0-9_.:/+-]{0,80}$/;
const LONG_DIGITS = /\d{10,}/;

/** A log that writes one JSON line per event. `alert` marks what a person must look at. */
export function jsonLog(write: (line: string) => void): Log {
  const line = (level: string, event: string, fields: LogFields): void => {
    const safe: Record<string, string | number | boolean | null> = { level, event };
    for (const [name, value] of Object.entries(fields)) safe[name] = redactField(value);
    write(JSON.stringify(safe));
  };
  return {
    info: (event, fields = {}) => line("info", event, fields),
    alert: (event, fields = {}) => line("alert", event, fields),
  };
}

/** Keeps a value only when its shape rules out free text, an e-mail address, an IBAN-like or card-like run. */
export function redactField(value: string | number | boolean | null): string | number | boolean | null {
  if (typeof value !== "string") return value;
  return HARMLESS.test(value) && !LONG_DIGITS.test(value) ? value : "[redacted]";
}

/** The class of a failure, never its message: messages quote values. */
export function errorClass(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

/** Writes to the console, where the platform collects structured lines. */
export function consoleLog(): Log {
  return jsonLog((line) => console.log(line));
}
