// How far the two kinds of work on the projections are. Kept in D1, so that a step may be the last
// of its process.

/** A rebuild of all projections; `finishedAtMs` is null while it is under way. */
export type Rebuild = {
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly rebuilt: number;
  readonly failed: number;
};
type Round = { readonly checked: number; readonly behind: number; readonly endedAtMs: number };
/** Where the patrol is, what it has found in this round, and what the last whole round found. */
export type Patrol = {
  readonly after: string;
  readonly startedAtMs: number;
  readonly checked: number;
  readonly behind: number;
  readonly last: Round | null;
  /** Of those behind, the ledgers that could not be brought up to date. */
  readonly left: number;
};

export const PATROL_EMPTY: Patrol = {
  after: "",
  startedAtMs: 0,
  checked: 0,
  behind: 0,
  left: 0,
  last: null,
};
