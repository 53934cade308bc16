// Broken invariants stop the operation: a ledger that refuses to write is better than one that
// writes something wrong.

/**
 * Thrown when something that must always hold does not. The message names the invariant and never a
 * value.
 */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Throws `InvariantError` unless the condition holds. `invariant` must not contain personal data:
 * it is logged.
 */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) throw new InvariantError(invariant);
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${typeof value}`);
}
