// One deliberate breakage of the ledger.
export type Mutation = {
  readonly name: string;
  /** What the design promises and the breakage takes away. */
  readonly breaks: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Seeds that are known to notice; the first few of all are tried as well. */
  readonly seeds?: readonly number[];
};
