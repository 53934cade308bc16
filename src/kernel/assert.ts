// Broken invariants stop the operation: a ledger that refuses to write is better than one that
// writes something wrong.

/**
 * Thrown when something that must always hold does not. `code` names the case for alerts and never
 * changes; the message says what is wrong, for whoever is on call. Neither ever holds a value.
 */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
  readonly code: string;

  constructor(code: string, problem: string) {
    super(problem);
    this.code = code;
  }
}

/**
 * Throws `InvariantError` unless the condition holds. `problem` says what is wrong then. Both texts
 * are logged, so they must not contain personal data.
 */
export function assert(condition: boolean, code: string, problem: string): asserts condition {
  if (!condition) throw new InvariantError(code, problem);
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new InvariantError("unreachable", `unreachable branch reached by a ${typeof value}`);
}
