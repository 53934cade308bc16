// The whole system against the model: ledgers, D1 and budget, with the edge alive and dead.
import { execFile } from "node:child_process";
import { expectCall, signIn } from "../../src/local/api-client.ts";
import { operatorToken } from "../../src/local/operator-token.ts";
import { labelOf } from "./bank.ts";
import {
  checkFigures,
  checkLedger,
  complain,
  liabilityEquals,
  readAll,
  readFigures,
} from "./checks.ts";
import type { Entry, Faults, Figures, Liability, Points, Seen, Shown } from "./checks.ts";
import { readDeadFiles } from "./edge.ts";
import type { DeadFiles } from "./edge.ts";
import { deliver, webhookBody } from "./load.ts";
import { BRANDS, grantOf } from "./model.ts";
import type { Row } from "./model.ts";
import { pause } from "./pause.ts";
import { parisDay } from "./world.ts";
import type { Person, World } from "./world.ts";

/** An alarm that failed comes back within a minute; nothing else may keep D1 waiting. */
export const SETTLE_MS = 150_000;

export type Signed = { readonly person: Person; readonly token: string };

/** Access tokens for all users; those of before do not live as long as a run. */
export async function signAllIn({ at, people }: World): Promise<Signed[]> {
  const signed: Signed[] = [];
  for (const person of people) {
    signed.push({ person, token: (await signIn(at, person.email)).token });
  }
  return signed;
}

/** Points that the users have by the offer with a budget. */
const budgetedPoints = (seen: readonly Seen[]): number =>
  seen.reduce((sum, { byBrand }) => sum + byBrand.leclerc, 0);

/** Each user's ledger against the model. `atRest` once the alarms have run. */
export async function checkLedgers(
  signed: readonly Signed[],
  world: World,
  atRest: boolean,
  faults: Faults,
): Promise<Seen[]> {
  const seen = await Promise.all(signed.map(async ({ person, token }) => {
    const answered = new Set(
      person.sent.filter((one) => one.answered).flatMap((one) =>
        one.message.lines.map(({ row }) => row.id)
      ),
    );
    const ledger = {
      userId: person.userId,
      token,
      rows: person.bank.rows,
      answered,
      atRest,
      complete: person.sent.every((one) => one.answered),
    };
    return checkLedger(world.at.edgeUrl, ledger, faults);
  }));
  const granted = budgetedPoints(seen);
  if (granted > world.budgetPoints) {
    complain(faults, "wrong", `${granted} points granted under a budget of ${world.budgetPoints}`);
  }
  return seen;
}

const operator = (world: World, role: string): Promise<string> =>
  operatorToken({
    secrets: world.secrets,
    issuer: world.at.sandboxUrl,
    role,
    subject: "alice",
    nowMs: world.nowMs(),
  });

/**
 * Waits until the alarms have done what they are for, by themselves: budgets asked, D1 up to date.
 * Returns how long it took, or null.
 */
export async function settled(signed: readonly Signed[], world: World): Promise<number | null> {
  const token = await operator(world, "auditor");
  const startedMs = Date.now();
  for (; Date.now() - startedMs < SETTLE_MS; await pause(500)) {
    const balances = await Promise.all(
      signed.map((one) =>
        expectCall<Points>(200, "GET", `${world.at.edgeUrl}/v1/points`, undefined, {
          token: one.token,
        })
      ),
    );
    if (
      !liabilityEquals(
        await expectCall<Liability>(
          200,
          "GET",
          `${world.at.edgeUrl}/admin/v1/liability`,
          undefined,
          {
            token,
          },
        ),
        balances,
      )
    ) continue;
    const waiting = await Promise.all(
      signed.map((one) =>
        readAll<Shown>(`${world.at.edgeUrl}/v1/purchases?outcome=waiting`, one.token)
      ),
    );
    if (
      !waiting.flat().some(({ verdict }) =>
        verdict.reasons.some(({ code }) => code === "budget_reserving")
      )
    ) return Date.now() - startedMs;
  }
  return null;
}

/** What is left of the budget, no more and no less, can still be earned. */
export async function probeBudget(
  signed: readonly Signed[],
  world: World,
  seen: readonly Seen[],
  faults: Faults,
): Promise<void> {
  const [first] = signed;
  const left = world.budgetPoints - budgetedPoints(seen);
  if (first === undefined) return;
  const { person, token } = first;
  const today = parisDay(world.nowMs());
  for (const points of [left + 1, left]) {
    if (points === 0) continue;
    const cents = points * (10_000 / BRANDS.leclerc.rateBp);
    const row: Row = {
      id: 990_000_000 + points,
      brand: "leclerc",
      kind: "purchase",
      date: today,
      versions: [{ cents, state: "booked", update: 1_000_000 }],
    };
    const body = webhookBody(person, {
      lines: [{ row, version: { cents, state: "booked", update: 1_000_000 } }],
      after: new Set(),
    }, 900_000 + points);
    await deliver(world, {
      message: { lines: [], after: new Set() },
      body,
      answered: false,
    });
    if ((await settled(signed, world)) === null) {
      complain(faults, "wrong", "the budget did not answer");
    }
    const found = (await readAll<Shown>(`${world.at.edgeUrl}/v1/purchases?from=${today}`, token))
      .find((
        { label },
      ) => label === labelOf(row));
    const wanted = points > left ? 0 : grantOf("leclerc", cents);
    if (found?.verdict.points !== wanted) {
      complain(
        faults,
        "wrong",
        `with ${left} points left in the budget a purchase of ${points} earned ${found?.verdict.points}`,
      );
    }
  }
}

function rebuild(edgeUrl: string, token: string): Promise<number> {
  return new Promise((done) => {
    execFile(process.execPath, ["src/cli/rebuild-projections.ts", "--url", edgeUrl], {
      env: { ...process.env, OPERATOR_TOKEN: token },
    }, (error, _stdout, stderr) => {
      if (error !== null) console.error(stderr);
      done(error === null ? 0 : 1);
    });
  });
}

/** D1 against the ledgers: as the outbox made it, then as a rebuild makes it. */
export async function checkProjections(
  signed: readonly Signed[],
  world: World,
  seen: readonly Seen[],
  faults: Faults,
): Promise<void> {
  const entries = (await Promise.all(
    signed.map((one) => readAll<Entry>(`${world.at.edgeUrl}/v1/points/entries`, one.token)),
  )).flat();
  const auditor = await operator(world, "auditor");
  const projected: Figures = await readFigures(world.at.edgeUrl, auditor);
  checkFigures(projected, seen, entries, world.offers, faults);
  if ((await rebuild(world.at.edgeUrl, await operator(world, "owner"))) !== 0) {
    complain(faults, "wrong", "the rebuild failed");
  }
  const rebuilt = await readFigures(world.at.edgeUrl, auditor);
  if (JSON.stringify(rebuilt) !== JSON.stringify(projected)) {
    complain(faults, "wrong", "the rebuilt projections differ from what the outbox produced");
  }
}

/**
 * The files of the dead edge: D1's heads against the ledgers' own, the budget object against the
 * points granted under it.
 */
export async function checkFiles(
  world: World,
  seen: readonly Seen[],
  faults: Faults,
): Promise<void> {
  const files = await readDeadFiles(world.dataDir);
  for (const [index, person] of world.people.entries()) {
    const points = seen[index]?.points;
    const head = files.heads.get(person.userId);
    const wanted = {
      sequence: points?.ledger.sequence,
      head: points?.ledger.head,
      pending: points?.pending,
      available: points?.available,
      held: points?.held,
    };
    if (JSON.stringify(head) !== JSON.stringify(wanted)) {
      complain(
        faults,
        "wrong",
        `D1's head of ${person.userId} is ${JSON.stringify(head)} instead of ${
          JSON.stringify(wanted)
        }`,
      );
    }
  }
  checkBudget(files, budgetedPoints(seen), faults);
}

/** What the budget object has reserved must be the points granted under it. */
export function checkBudget(
  { reserved, reservations }: DeadFiles,
  granted: number,
  faults: Faults,
): void {
  if (reserved !== granted || reservations !== granted) {
    complain(
      faults,
      "wrong",
      `the budget holds ${reserved} (${reservations}) for ${granted} points granted`,
    );
  }
}
