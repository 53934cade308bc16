// What other domains may ask of operations.
import type { HaltScope } from "./halts/halts.ts";

export type HaltsPort = {
  /**
   * Whether that part of the programme is halted now: one indexed read, kept nowhere, so that a halt
   * holds from the moment in which it is answered. Payouts ask before a batch is made, approved or
   * downloaded; linking before a start, a renewal or a callback.
   */
  readonly isHalted: (what: HaltScope) => Promise<boolean>;
};
