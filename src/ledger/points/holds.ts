// Points set aside for a redemption. A hold is open (the user or its deadline may still release
// it), then committed (what has left for a bank may only be settled, or released by the bank's
// rejection or two persons), and ends once.
import { assert } from "../../kernel/assert.ts";
import type { EntryId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { addDays } from "../../kernel/time.ts";
import { dayOf, startOfDayMs } from "../book/paris-days.ts";
import { payDebt, remainingOf, returnToLots, spendFromLots } from "./lots.ts";
import { integerOf, integerOrNull, textOf } from "../book/sql.ts";
import type { SqlRow } from "../book/sql.ts";
import type { HoldError, HoldInput, HoldState, HoldView } from "../ports.ts";
import { postTo } from "../book/call.ts";
import type { Call } from "../book/call.ts";

type Hold = {
  readonly redemptionId: string;
  readonly holdNo: number;
  state: HoldState;
  readonly points: number;
  readonly lots: readonly (readonly [number, number])[];
  entryId: EntryId;
  /** Deadline of an open hold; of a committed one, when it is overdue. */
  dueMs: number | null;
  alerted: boolean;
};

/**
 * A payment takes a day or two; after this many working days a person must find out what became of
 * it.
 */
const COMMITTED_WORKING_DAYS_MAX = 10;

const COLUMNS = "redemption_id, hold_no, state, points, lots, entry_id, due_ms, alerted";

function holdFrom(row: SqlRow): Hold {
  return {
    redemptionId: textOf(row, "redemption_id"),
    holdNo: integerOf(row, "hold_no"),
    state: textOf(row, "state") as HoldState,
    points: integerOf(row, "points"),
    lots: JSON.parse(textOf(row, "lots")) as [number, number][],
    entryId: textOf(row, "entry_id") as EntryId,
    dueMs: integerOrNull(row, "due_ms"),
    alerted: integerOf(row, "alerted") === 1,
  };
}

function findHold(call: Call, redemptionId: string): Hold | null {
  const row =
    call.sql.exec(`SELECT ${COLUMNS} FROM holds WHERE redemption_id = ?`, redemptionId)[0];
  return row === undefined ? null : holdFrom(row);
}

function saveHold(call: Call, hold: Hold): void {
  call.sql.exec(
    "UPDATE holds SET state = ?, entry_id = ?, due_ms = ?, alerted = ? WHERE redemption_id = ?",
    hold.state,
    hold.entryId,
    hold.dueMs,
    hold.alerted ? 1 : 0,
    hold.redemptionId,
  );
}

function viewOf(call: Call, hold: Hold): HoldView {
  return {
    redemptionId: hold.redemptionId,
    state: hold.state,
    points: hold.points,
    balances: call.head.balances,
  };
}

/**
 * available -> held, taking the points that expire first, but none of the lots whose purchases are
 * in question.
 */
export function placeHold(
  call: Call,
  input: HoldInput,
  inQuestion: ReadonlySet<number>,
): Result<HoldView, HoldError> {
  assert(
    Number.isSafeInteger(input.points) && input.points > 0,
    "hold_points_invalid",
    "a hold of no points, or of a fraction of a point, was asked for",
  );
  if (findHold(call, input.redemptionId) !== null) return err({ code: "hold_exists" });
  const { available } = call.head.balances;
  if (available < 0) return err({ code: "balance_negative", available });
  const free = inQuestion.size === 0 ? available : available - remainingOf(call, inQuestion);
  if (free < input.points) return err({ code: "points_insufficient", available: free });
  const lots = spendFromLots(call, input.points, inQuestion);
  const entryId = postTo(call, {
    kind: "hold",
    key: `hold:${input.redemptionId}`,
    input,
    effectiveOn: dayOf(call.nowMs),
    lots,
    redemptionId: input.redemptionId,
    postings: [["available", -input.points], ["held", input.points]],
  });
  const hold: Hold = {
    redemptionId: input.redemptionId,
    holdNo: call.head.sequence,
    state: "open",
    points: input.points,
    lots,
    entryId,
    dueMs: input.expiresAtMs,
    alerted: false,
  };
  call.sql.exec(
    `INSERT INTO holds (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    hold.redemptionId,
    hold.holdNo,
    hold.state,
    hold.points,
    JSON.stringify(lots),
    entryId,
    hold.dueMs,
    0,
  );
  return ok(viewOf(call, hold));
}

/** Runs `transition` on the hold if it is in state `from`. */
function transitionHold(
  call: Call,
  redemptionId: string,
  from: HoldState,
  transition: (hold: Hold) => void,
): Result<HoldView, HoldError> {
  const hold = findHold(call, redemptionId);
  if (hold === null) return err({ code: "hold_unknown" });
  if (hold.state !== from) return err({ code: "hold_state", state: hold.state });
  transition(hold);
  return ok(viewOf(call, hold));
}

/**
 * From here on neither the user nor a deadline nor a claw-back can release the points. Moves
 * nothing, so it posts nothing. Refused while a purchase behind the points is in question.
 */
export function commitHold(
  call: Call,
  redemptionId: string,
  inQuestion: ReadonlySet<number>,
): Result<HoldView, HoldError> {
  const asked = findHold(call, redemptionId)?.lots.some(([lotNo]) => inQuestion.has(lotNo));
  if (asked === true) return err({ code: "points_in_question" });
  return transitionHold(call, redemptionId, "open", (hold) => {
    hold.state = "committed";
    hold.dueMs = startOfDayMs(addWorkingDays(dayOf(call.nowMs), COMMITTED_WORKING_DAYS_MAX + 1));
    saveHold(call, hold);
  });
}

/** held -> redeemed: the bank has paid, or the gift card was handed over. */
export function settleHold(call: Call, redemptionId: string): Result<HoldView, HoldError> {
  return transitionHold(
    call,
    redemptionId,
    "committed",
    (hold) =>
      endHold(call, hold, "settled", "settle", [
        ["held", -hold.points],
        ["programme:redeemed", hold.points],
      ]),
  );
}

/**
 * held -> available. `cancelled` ends an open hold, `rejected` (by the bank or two persons) a
 * committed one.
 */
export function releaseHold(
  call: Call,
  redemptionId: string,
  cause: "cancelled" | "rejected",
): Result<HoldView, HoldError> {
  return transitionHold(
    call,
    redemptionId,
    cause === "cancelled" ? "open" : "committed",
    (hold) => release(call, hold, call.nowMs),
  );
}

/** redeemed -> available: a payment that came back. */
export function reinstateHold(call: Call, redemptionId: string): Result<HoldView, HoldError> {
  return transitionHold(call, redemptionId, "settled", (hold) => {
    endHold(call, hold, "reinstated", "reinstate", [
      ["programme:redeemed", -hold.points],
      ["available", hold.points],
    ]);
    returnToLots(call, hold.lots, call.nowMs);
  });
}

function release(call: Call, hold: Hold, effectiveMs: number): void {
  endHold(
    call,
    hold,
    "released",
    "release",
    [["held", -hold.points], ["available", hold.points]],
    dayOf(effectiveMs),
  );
  returnToLots(call, hold.lots, effectiveMs);
}

function endHold(
  call: Call,
  hold: Hold,
  state: HoldState,
  kind: "settle" | "release" | "reinstate",
  postings: readonly (readonly ["held" | "available" | "programme:redeemed", number])[],
  effectiveOn = dayOf(call.nowMs),
): void {
  hold.entryId = postTo(call, {
    kind,
    key: `${kind}:${hold.redemptionId}`,
    input: { redemption: hold.redemptionId, points: hold.points },
    effectiveOn,
    lots: hold.lots,
    redemptionId: hold.redemptionId,
    postings,
    reverses: hold.entryId,
  });
  hold.state = state;
  hold.dueMs = null;
  saveHold(call, hold);
}

/**
 * Ends a call that may have clawed back: open holds are released, newest first, until `available`
 * is not negative, and what debt is left is paid from the lots. Once for the whole call, so that
 * points which were taken back and granted again in it cost nobody anything.
 */
export function coverDebt(call: Call): void {
  releaseUntilCovered(call);
  if (call.debtOpen) payDebt(call);
}

function releaseUntilCovered(call: Call): void {
  while (call.head.balances.available < 0) {
    const row = call.sql.exec(
      `SELECT ${COLUMNS} FROM holds WHERE state = 'open' ORDER BY hold_no DESC LIMIT 1`,
    )[0];
    if (row === undefined) return;
    release(call, holdFrom(row), call.nowMs);
  }
}

/** Releases every open hold, newest first. */
export function releaseAllOpen(call: Call): void {
  for (
    const row of call.sql.exec(
      `SELECT ${COLUMNS} FROM holds WHERE state = 'open' ORDER BY hold_no DESC`,
    )
  ) release(call, holdFrom(row), call.nowMs);
}

/**
 * Holds whose time has come: open ones past their deadline, committed ones overdue and not yet
 * reported.
 */
export function dueHolds(
  call: Call,
): { readonly dueMs: number; readonly redemptionId: string; readonly state: HoldState }[] {
  return call.sql.exec(
    "SELECT redemption_id, state, due_ms FROM holds WHERE due_ms <= ? AND (state = 'open' OR (state = 'committed' AND alerted = 0)) ORDER BY due_ms",
    call.nowMs,
  )
    .map((row) => ({
      dueMs: integerOf(row, "due_ms"),
      redemptionId: textOf(row, "redemption_id"),
      state: textOf(row, "state") as HoldState,
    }));
}

/**
 * Releases an open hold whose deadline has passed, as of that moment, whoever looks and when. A
 * claw-back may have released it meanwhile.
 */
export function releaseOverdue(call: Call, redemptionId: string): void {
  const hold = findHold(call, redemptionId);
  if (hold?.state === "open" && hold.dueMs !== null && hold.dueMs <= call.nowMs) {
    release(call, hold, hold.dueMs);
  }
}

/** Notes that operators were alerted to a committed hold that nobody settled. */
export function markAlerted(call: Call, redemptionId: string): void {
  call.sql.exec("UPDATE holds SET alerted = 1 WHERE redemption_id = ?", redemptionId);
}

export function allHolds(call: Call): HoldView[] {
  return call.sql.exec(`SELECT ${COLUMNS} FROM holds ORDER BY hold_no`).map((row) =>
    viewOf(call, holdFrom(row))
  );
}

/** Weekends do not count; bank holidays are not known here, and only make the alert come early. */
export function addWorkingDays(date: string, days: number): string {
  let day = date;
  for (let left = days; left > 0;) {
    day = addDays(day, 1);
    const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
    if (weekday !== 0 && weekday !== 6) left -= 1;
  }
  return day;
}
