// What the application needs to read bodies, with timers that fire only when the test says so.
import { openBodies } from "../../src/http/bodies.ts";
import { rememberCallers } from "../../src/http/callers.ts";
import type { OperatorTokens } from "../../src/http/authentication.ts";

/** Bodies and callers of an application of a test. */
export function inbound(clock: { readonly nowMs: () => number }) {
  return { bodies: openBodies(() => () => {}), callers: rememberCallers(clock) };
}

/** Operators' tokens where a test has no operators: every token is one's. */
export const anyOperator: OperatorTokens = {
  verify: async (token) => ({
    ok: true,
    value: { subject: token, roles: [], listedPerson: false },
  }),
};
