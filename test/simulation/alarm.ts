// The real alarm (src/ledger/alarm.ts) in a world that lets it down: at each of its awaits the
// other side may fail before or after it did what it was asked, the object may be evicted for good,
// and other calls may come in between. The seed decides which.
import type { AlarmParts } from "../../src/ledger/object/alarm.ts";
import type { Engine } from "../../src/ledger/engine.ts";
import type { BudgetTask } from "../../src/ledger/ports.ts";
import { command } from "./commands.ts";
import { overNetwork } from "./d1.ts";
import { CRASHES } from "./faults.ts";
import { must, SimulatedCrash } from "./ledger.ts";
import type { ModelNotice } from "./model-notices.ts";
import { keyOf } from "./model-rows.ts";
import { deliver, sync } from "./network.ts";
import { checkSampled, takeSample } from "./projection.ts";
import type { SimUser, World } from "./world.ts";

/** How the world behaves while the alarm runs. */
export type Weather = "stormy" | "calm";

class NetworkLost extends Error {}

/** Rings one user's alarm once, to its end or to the end of its isolate. */
export async function ring(
  world: World,
  user: SimUser,
  weather: Weather,
  depth = 0,
): Promise<string> {
  if (user.leaf !== null) return `u${user.no} is erased`;
  const round = new Round(world, user, weather, depth);
  // A round whose isolate is gone never comes back from its await; nobody waits for it.
  await Promise.race([round.run(), round.gone]);
  if (round.failure !== null) throw round.failure;
  return `u${user.no} alarm${[...round.said].map((what) => `; ${what}`).join("")}`;
}

class Round {
  readonly said: string[] = [];
  readonly gone: Promise<null>;
  failure: Error | null = null;
  readonly #world: World;
  readonly #user: SimUser;
  readonly #weather: Weather;
  readonly #depth: number;
  readonly #nowMs: number;
  readonly #tasks = new Map<string, BudgetTask>();
  #notices: readonly ModelNotice[] = [];
  #overdue: readonly string[] = [];
  #letDown = false;
  #end: (value: null) => void = () => undefined;

  constructor(world: World, user: SimUser, weather: Weather, depth: number) {
    this.#world = world;
    this.#user = user;
    this.#weather = weather;
    this.#depth = depth;
    this.#nowMs = world.nowMs;
    this.gone = new Promise((resolve) => (this.#end = resolve));
  }

  async run(): Promise<void> {
    try {
      const answer = await this.#world.module.runAlarm(this.#parts(), this.#nowMs);
      if (!answer.ok) throw new Error(`the alarm answered ${answer.error.code}`);
      if (this.#weather === "calm" && answer.value.more) {
        throw new Error("an alarm that nothing disturbed left something undone");
      }
      if (this.#overdue.length > 0) {
        throw new Error(`no notice was sent of the overdue ${this.#overdue.join()}`);
      }
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) this.failure ??= error as Error;
    }
  }

  #parts(): AlarmParts {
    const { rng, budgets } = this.#world;
    const pause = (): Promise<void> => this.#pause();
    return {
      userId: this.#user.userId,
      database: overNetwork(this.#world.database, pause),
      guard: (call) => this.#guard(call),
      reserve: (offerId, request) =>
        this.#keepFailure(async () => {
          await pause();
          const answer = budgets.reserve(offerId, request, this.#limitOf(request.key, offerId));
          this.said.push(
            `${offerId} ${request.points}/${request.budgetPoints} ${
              answer.granted ? "granted" : "denied"
            }`,
          );
          await pause();
          return answer;
        }),
      helpers: {
        halts: { known: () => [], refresh: () => Promise.resolve() },
        offersOn: async () => {
          await pause();
          return {
            offers: this.#world.catalogue.terms,
            covers: null,
            programme: this.#world.programme,
          };
        },
        sendNotice: async (_, task) => {
          await pause();
          if (rng.chance(0.1)) return false;
          this.#user.mails.push({ expiresOn: task.expiresOn, atMs: this.#nowMs });
          await pause();
          return true;
        },
        offerToSample: (_, items) =>
          this.#keepFailure(async () => {
            checkSampled(this.#world, this.#user, items);
            await pause();
            takeSample(this.#user, items);
            await pause();
          }),
      },
      log: {
        info: () => undefined,
        alert: (event, fields) => this.#alerted(event, fields?.["redemption_id"]),
      },
    };
  }

  /**
   * The alarm takes any failure of the others for theirs; what the oracle found on the way is not.
   */
  async #keepFailure<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof NetworkLost)) this.failure ??= error as Error;
      throw error;
    }
  }

  #alerted(event: string, redemptionId: unknown): void {
    if (event === "hold_overdue" && this.#overdue.includes(String(redemptionId))) {
      this.#overdue = this.#overdue.filter((id) => id !== redemptionId);
    } else if (event !== "ledger_due_failed" || !this.#letDown) {
      this.failure ??= new Error(`the alarm reported ${event} ${String(redemptionId)}`);
    }
  }

  /** One await: what happens to it, and what happens in the meantime. */
  async #pause(): Promise<void> {
    if (this.#weather === "calm") return;
    const { rng } = this.#world;
    switch (
      rng.weighted({ goes_on: 16, fails: 2, evicted: 2, others: this.#depth === 0 ? 2 : 0 })
    ) {
      case "goes_on":
        return;
      case "fails":
        this.said.push("fails");
        this.#letDown = true;
        throw new NetworkLost("the network lost it");
      case "evicted":
        this.said.push("evicted");
        this.#user.ledger.evict();
        this.#end(null);
        return new Promise(() => undefined);
      case "others":
        return this.#keepFailure(() => this.#meanwhile());
    }
  }

  async #meanwhile(): Promise<void> {
    const world = this.#world;
    const { rng } = world;
    const others = world.users.filter((user) => user !== this.#user);
    switch (
      rng.weighted({
        deliver: 4,
        sync: 2,
        command: 3,
        clock: 1,
        other_user: others.length > 0 ? 3 : 0,
      })
    ) {
      case "deliver":
        return void this.said.push(`meanwhile ${deliver(world, this.#user)}`);
      case "sync":
        return void this.said.push(
          `meanwhile ${this.#user.bank.act(world.nowMs)}, ${sync(world, this.#user)}, ${
            deliver(world, this.#user)
          }`,
        );
      case "command":
        return void this.said.push(`meanwhile ${command(world, this.#user)}`);
      case "clock":
        world.nowMs += rng.int(1, 30) * 1000;
        return void this.said.push("meanwhile seconds pass");
      case "other_user":
        return void this.said.push(`meanwhile ${await ring(world, rng.pick(others), "stormy", 1)}`);
    }
  }

  #guard<T>(call: (engine: Engine) => T): T {
    try {
      return call(this.#watched());
    } catch (error) {
      if (error instanceof SimulatedCrash) {
        this.said.push("crash inside a transaction");
        this.#user.ledger.evict();
        this.#letDown = true;
      } else this.failure ??= error as Error;
      this.#end(null);
      throw error;
    } finally {
      this.#user.ledger.disarm();
    }
  }

  /** The engine as the alarm sees it, with the oracle looking on. */
  #watched(): Engine {
    const { engine } = this.#user.ledger;
    const risky = <A extends unknown[], T>(
      method: (...args: A) => T,
      crashes = CRASHES / 2,
      within = [4, 12, 40],
    ) =>
    (...args: A): T => {
      const { rng } = this.#world;
      if (this.#weather === "stormy" && rng.chance(crashes)) {
        this.#user.ledger.crashAfterStatements(rng.int(0, rng.pick(within)));
      }
      const answer = method(...args);
      this.#user.ledger.disarm();
      return answer;
    };
    return {
      ...engine,
      runDue: (_, nowMs) => this.#sawDue(risky(engine.runDue)(null, nowMs)),
      budgetTasks: (_, nowMs) => {
        const tasks = risky(engine.budgetTasks)(null, nowMs);
        for (const task of must(tasks)) this.#tasks.set(`${task.offerId} ${task.key}`, task);
        return tasks;
      },
      budgetGranted: (task, nowMs) =>
        this.#sawBudget(
          task,
          true,
          risky(engine.budgetGranted, 0.25, [16, 20, 24]).bind(null, task, nowMs),
          () => engine.budgetGranted(task, nowMs),
        ),
      budgetDenied: (denial, nowMs) =>
        this.#sawBudget(
          denial,
          false,
          risky(engine.budgetDenied, 0.25, [16, 20, 24]).bind(null, denial, nowMs),
          () => engine.budgetDenied(denial, nowMs),
        ),
      dueDays: risky(engine.dueDays),
      judgeDueDays: (terms, nowMs) => {
        const answer = risky(engine.judgeDueDays)(terms, nowMs);
        const { ledger, model } = this.#user;
        model.dayCame(nowMs, ledger.views(nowMs));
        return answer;
      },
      notices: (_, nowMs) => this.#sawNotices(risky(engine.notices)(null, nowMs)),
      noticeSent: (task, nowMs) => {
        const answer = risky(engine.noticeSent)(task, nowMs);
        const [first, ...rest] = this.#notices;
        if (first !== undefined) this.#user.model.notices.sent(first, nowMs);
        this.#notices = rest;
        return answer;
      },
      noticeFailed: (_, nowMs) => {
        const answer = risky(engine.noticeFailed)(null, nowMs);
        this.#user.model.notices.refused(nowMs);
        return answer;
      },
      peekOutbox: risky(engine.peekOutbox),
      ackOutbox: risky(engine.ackOutbox),
      peekReviews: risky(engine.peekReviews),
      ackReviews: risky(engine.ackReviews),
      peekSample: risky(engine.peekSample),
      ackSample: risky(engine.ackSample),
    };
  }

  #sawDue(answer: ReturnType<Engine["runDue"]>): ReturnType<Engine["runDue"]> {
    const { book } = this.#user.model;
    const due = book.holds.filter((hold) =>
      hold.state === "committed" && hold.overdueMs !== null && hold.overdueMs <= this.#nowMs
    );
    for (const hold of due) hold.overdueMs = null;
    this.#overdue = must(answer).overdueHolds;
    const expected = due.map((hold) => hold.id).sort().join();
    if ([...this.#overdue].sort().join() !== expected) {
      throw new Error(
        `overdue are ${this.#overdue.join() || "none"}, expected ${expected || "none"}`,
      );
    }
    return answer;
  }

  #sawNotices(answer: ReturnType<Engine["notices"]>): ReturnType<Engine["notices"]> {
    const { model } = this.#user;
    model.advance(this.#nowMs);
    const line = (
      each: { readonly daysBefore: number; readonly expiresOn: string; readonly points: number },
    ): string => `${each.daysBefore} days before ${each.expiresOn}: ${each.points}`;
    const due = model.notices.due(this.#nowMs);
    const tasks = must(answer);
    const found = tasks.map(line).sort().join("; ");
    const expected = due.map(line).sort().join("; ");
    if (found !== expected) {
      throw new Error(`notices to send: ${found || "none"}, expected ${expected || "none"}`);
    }
    this.#notices = tasks.flatMap((task) => due.find((each) => line(each) === line(task)) ?? []);
    return answer;
  }

  /**
   * Which purchase the answer is for is asked before it is recorded: the row may have come to
   * repeat another meanwhile.
   */
  #sawBudget(
    task: Pick<BudgetTask, "key" | "offerId">,
    granted: boolean,
    apply: () => ReturnType<Engine["budgetGranted"]>,
    repeat: () => unknown,
  ): ReturnType<Engine["budgetGranted"]> {
    const { ledger, model } = this.#user;
    const asked = this.#tasks.get(`${task.offerId} ${task.key}`);
    const waiting = [...ledger.views(this.#nowMs).values()]
      .filter(({ id, verdict }) =>
        id === asked?.purchaseId && verdict.offer?.id === task.offerId &&
        verdict.outcome === "waiting" && verdict.reasons.includes("budget_reserving")
      );
    const answer = apply();
    // An answer may come twice.
    if (this.#world.rng.chance(0.1)) repeat();
    const seen = ledger.views(this.#nowMs);
    for (const view of waiting) {
      model.budgetAnswered(keyOf(view), granted, asked?.points ?? 0, this.#nowMs, seen);
    }
    if (waiting.length === 0) model.budgetHeard(this.#nowMs, seen);
    return answer;
  }

  /**
   * The budget of the version under which the purchase earns, from the catalogue; null when it
   * earns elsewhere and only gives back.
   */
  #limitOf(key: string, offerId: string): number | null {
    const [id = ""] = key.split(":");
    const view = must(this.#user.ledger.engine.purchase(id as `pur_${string}`, this.#nowMs));
    const offer = view?.verdict.offer;
    return offer?.id !== offerId
      ? null
      : this.#world.catalogue.terms.find((terms) =>
        terms.offerId === offerId && terms.version === offer.version
      )?.budgetPoints ?? null;
  }
}
