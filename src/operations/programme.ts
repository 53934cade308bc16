// What is fixed when the programme first starts. Points are money to their owners: a rate that
// changes by a typing error in a setting would change what everybody owns, so the stored rate wins
// and another one stops the application.
import type { Result } from "../kernel/result.ts";

export type ProgrammeError = { readonly code: "programme_rate_changed" };

/** The rate of points to euros, as the first start stored it, against the configured one. */
type ProgrammeCheck = () => Promise<Result<null, ProgrammeError>>;

/** Checks once per isolate. A failure of the database is not an answer and is tried again. */
export function onceAnswered(check: ProgrammeCheck): ProgrammeCheck {
  let answered: Result<null, ProgrammeError> | null = null;
  return async () => (answered ??= await check());
}
