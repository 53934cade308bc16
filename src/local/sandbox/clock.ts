// The local clock: moved through the product's own local port, then everything at the bank that has
// become due happens: pending rows are booked, monthly summaries debited, consents lapse, the daily
// synchronisation runs, failed webhooks are tried again.
import { z } from "zod";
import { announce } from "./announce.ts";
import { dailyMs, markSummarised, setConnectionState, summarisedUntil } from "./bank.ts";
import { deferredTotalCents } from "./control-money.ts";
import { readControl, refuse } from "./control-input.ts";
import type { SandboxApp, Services } from "./context.ts";
import { readClock } from "./env.ts";
import { summaryRow } from "./history.ts";
import type { BankAccountRecord, BankRowRecord, ConnectionRecord } from "./model.ts";
import { addDays, endOfMonth, monthsBefore, parisDate } from "./powens-time.ts";
import { docOf } from "./store.ts";

/** What came due. */
interface DueReport {
  booked: number;
  summaries: number;
  lapsed: number;
  synchronised: number;
  flushed: number;
}

function bookPending({ store }: Services, today: string): number {
  const due = store.all<BankRowRecord>(
    "SELECT * FROM bank_rows WHERE books_on IS NOT NULL AND books_on <= ? AND removed = 0",
    today,
  );
  for (const row of due) {
    store.changeBankRow(row.id, { ...docOf(row), coming: false, date: row.books_on ?? today });
  }
  return due.length;
}

/** Debits, for every deferred card, each month that ended since its last summary. */
function debitMonths({ store }: Services, today: string): number {
  let count = 0;
  for (
    const card of store.all<BankAccountRecord>(
      "SELECT * FROM bank_accounts WHERE kind = 'card' AND parent IS NOT NULL",
    )
  ) {
    let until = summarisedUntil(store, card.id) ?? endOfMonth(monthsBefore(today, 1));
    for (
      let end = endOfMonth(addDays(until, 1));
      end < today && card.parent !== null;
      end = endOfMonth(addDays(end, 1))
    ) {
      const total = deferredTotalCents(store, card.id, end);
      if (total !== 0) {
        store.addBankRow(card.parent, summaryRow(end, total));
        count += 1;
      }
      until = end;
    }
    markSummarised(store, card.id, until);
  }
  return count;
}

/** Does everything that is due at `nowMs`. */
async function runDue(services: Services, nowMs: number): Promise<DueReport> {
  const { store, webhooks } = services;
  const today = parisDate(nowMs);
  const result: DueReport = {
    booked: bookPending(services, today),
    summaries: debitMonths(services, today),
    lapsed: 0,
    synchronised: 0,
    flushed: 0,
  };
  const connections = store.all<ConnectionRecord>(
    "SELECT * FROM connections WHERE deleted_ms IS NULL AND active = 1 ORDER BY id",
  );
  for (const connection of connections) {
    if (connection.expire_ms <= nowMs && connection.state === null) {
      setConnectionState(store, connection, "SCARequired", null, nowMs);
      await webhooks.deliver([
        webhooks.enqueueConnectionSynced(store.connection(connection.id) ?? connection, nowMs),
      ]);
      result.lapsed += 1;
    } else if (
      connection.state === null && connection.last_update_ms !== null &&
      nowMs - connection.last_update_ms >= dailyMs
    ) {
      await announce(services, connection.id, { sync: true, webhook: true }, nowMs);
      result.synchronised += 1;
    }
  }
  result.flushed = (await webhooks.flush()).length;
  return result;
}

/** Mounts `POST /clock` and `GET /clock`. */
export function mountClock(app: SandboxApp, services: Services): void {
  app.get(
    "/clock",
    (c) => c.json({ now_ms: c.var.nowMs, now: new Date(c.var.nowMs).toISOString() }),
  );
  app.post("/clock", async (c) => {
    const input = await readControl(
      c,
      z.strictObject({
        advance: z.string().regex(
          /^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?$/u,
          "must be an ISO 8601 duration such as P30D or PT6H",
        ),
      }),
    );
    if (input instanceof Response) return input;
    let answer: Response;
    try {
      answer = await fetch(new URL("/__local/clock", services.env.EDGE_URL), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(input),
      });
    } catch {
      return refuse(502, "edge_unreachable", "The product's local clock does not answer.");
    }
    const text = await answer.text();
    if (!answer.ok) {
      return refuse(502, "edge_refused", { status: answer.status, body: text.slice(0, 500) });
    }
    const nowMs = await readClock(services.env);
    return c.json({
      now_ms: nowMs,
      now: new Date(nowMs).toISOString(),
      due: await runDue(services, nowMs),
    });
  });
}
