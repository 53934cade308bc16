// Halts as a ledger sees them (DESIGN.md section 4).

/** A stop of a part of the programme; `untilMs` is null while it is in force. */
export type Halt = {
  readonly what: "payouts" | "confirmations" | "offers";
  readonly fromMs: number;
  readonly untilMs: number | null;
};

/**
 * What this process or isolate knows of the halts. `known` answers null when that was read too long
 * ago to act on it; `refresh` reads it anew and throws when D1 does not answer.
 */
export type HaltMemory = {
  readonly known: () => readonly Halt[] | null;
  readonly refresh: () => Promise<void>;
};
