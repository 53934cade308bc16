// The queue of webhooks: bodies written once, signed at each try, delivered at once, tried again
// until accepted. Owns the tables `webhooks` and `webhook_bodies`. The event's name is only in
// the path, never in the body or a header.
import { accountBodyOf, connectionBody, transactionBody, userBody } from "./bodies.ts";
import { takeNewRows } from "./bank.ts";
import type { SandboxEnv } from "./env.ts";
import type { ConnectionRecord, UserRecord, WebhookEvent, WebhookRecord } from "./model.ts";
import { webhookEvents } from "./model.ts";
import { signatureDate } from "./powens-time.ts";
import { signingSecret, signWebhook } from "./signature.ts";
import type { Store } from "./store.ts";
import { writeJson } from "./wire.ts";

/** What one delivery attempt came to; `status` is null when nothing answered. */
export interface Delivery {
  readonly id_webhook_data: number;
  readonly event: WebhookEvent;
  readonly delivered: boolean;
  readonly status: number | null;
  readonly held?: boolean;
}

const defaultTimeoutMs = 15_000;
const failuresPerRun = 10;
const timeoutsPerRun = 2;
const defaultRetryMs = 3000;
const keptDelivered = 500;
/** More undelivered events than this are refused: a queue without bound would end as a crash. */
const queueLimit = 5000;
// A SQLite row of an object holds 2 MB at most; a first synchronisation can be longer.
const bodyPartLength = 400_000;

/** The queue holds all that it may; nothing was written. */
export class QueueFullError extends Error {}

type Attempt = { readonly kind: "answered"; readonly status: number } | {
  readonly kind: "timeout" | "unreachable";
};

/** The queue and its deliveries. */
export class Webhooks {
  readonly #store: Store;
  readonly #env: SandboxEnv;
  readonly #setAlarm: (atMs: number) => void;
  readonly #inFlight = new Set<number>();
  #armed = false;
  #lastRun: Promise<unknown> = Promise.resolve();

  constructor(store: Store, env: SandboxEnv, setAlarm: (atMs: number) => void) {
    this.#store = store;
    this.#env = env;
    this.#setAlarm = setAlarm;
    // A kill between writing an event down and trying it leaves no alarm behind.
    if (store.first("SELECT id FROM webhooks WHERE state = 'pending' LIMIT 1") !== undefined) {
      this.#arm();
    }
  }

  /**
   * The object's alarm rang: one run of the flusher, which arms the next one when something failed
   * again.
   */
  async onAlarm(): Promise<void> {
    this.#armed = false;
    await this.flush();
  }

  /**
   * Setting an alarm replaces the one before: under steady load a new one each time would put the
   * retries off for ever.
   */
  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#setAlarm(Date.now() + Number(this.#store.setting("retry_ms") ?? defaultRetryMs));
  }

  /**
   * Writes an event down. It is delivered by `deliver`, the flusher, or a control when it is held.
   * Returns its id.
   */
  enqueue(
    event: WebhookEvent,
    user: UserRecord,
    idConnection: number | null,
    body: Record<string, unknown>,
    nowMs: number,
  ): number {
    this.#demandRoom();
    const id = this.#store.nextId("webhooks");
    const state = user.permanent === 0
      ? "waiting"
      : this.#store.setting("hold") === "true"
      ? "held"
      : "pending";
    this.#store.run(
      "INSERT INTO webhooks (id, event, id_user, id_connection, state, attempts, created_ms, signed_date) VALUES (?, ?, ?, ?, ?, 0, ?, ?)",
      id,
      event,
      user.id,
      idConnection,
      state,
      nowMs,
      signatureDate(nowMs),
    );
    const text = writeJson({ ...body, id_webhook_data: id });
    for (let start = 0, part = 0; start < text.length; start += bodyPartLength, part += 1) {
      this.#store.run(
        "INSERT INTO webhook_bodies (id, part, text) VALUES (?, ?, ?)",
        id,
        part,
        text.slice(start, start + bodyPartLength),
      );
    }
    if (state === "pending") this.#arm();
    this.#forgetOld();
    return id;
  }

  /**
   * CONNECTION_SYNCED, with the rows that no webhook has carried yet. A failed synchronisation has
   * the state and no accounts.
   */
  enqueueConnectionSynced(connection: ConnectionRecord, nowMs: number): number {
    // Before any row is marked as carried: a refused event must not lose rows.
    this.#demandRoom();
    const user = this.#userOf(connection.id_user);
    const accounts = connection.state !== null ? [] : this.#store.accountsOf(connection.id)
      .filter((account) => account.disabled === null && account.deleted === null)
      .map((account) => ({
        ...accountBodyOf(this.#store, account, connection),
        transactions: takeNewRows(this.#store, account.id).map((row) => transactionBody(row, true)),
        investments: [],
        market_orders: [],
        recipients: [],
        transfers: [],
      }));
    this.#store.run("UPDATE connections SET last_push_ms = ? WHERE id = ?", nowMs, connection.id);
    const body = {
      user: userBody(user),
      connection: {
        ...connectionBody(this.#store, connection, ["connector", "sources"]),
        accounts,
        subscriptions: [],
      },
      push_type: "partial_history",
    };
    return this.enqueue("connection-synced", user, connection.id, body, nowMs);
  }

  /** ACCOUNT_ENABLED or ACCOUNT_DISABLED: the account at the root. */
  enqueueAccount(
    event: "account-enabled" | "account-disabled",
    idAccount: number,
    connection: ConnectionRecord,
    nowMs: number,
  ): number {
    const account = this.#store.account(idAccount);
    if (account === undefined) throw new Error("unknown account");
    return this.enqueue(
      event,
      this.#userOf(connection.id_user),
      connection.id,
      accountBodyOf(this.#store, account, connection),
      nowMs,
    );
  }

  /**
   * ACCOUNT_SYNCED: the account at the root with its newest rows, for products that listen to it.
   * Takes no row away.
   */
  enqueueAccountSynced(
    idAccount: number,
    connection: ConnectionRecord,
    rows: readonly Record<string, unknown>[],
    nowMs: number,
  ): number {
    const account = this.#store.account(idAccount);
    if (account === undefined) throw new Error("unknown account");
    const body = {
      ...accountBodyOf(this.#store, account, connection),
      transactions: rows,
      investments: [],
    };
    return this.enqueue(
      "account-synced",
      this.#userOf(connection.id_user),
      connection.id,
      body,
      nowMs,
    );
  }

  record(id: number): WebhookRecord | undefined {
    return this.#store.first<WebhookRecord>("SELECT * FROM webhooks WHERE id = ?", id);
  }

  /** The exact bytes that are signed, as text. */
  bodyText(id: number): string {
    return this.#store.all<{ text: string }>(
      "SELECT text FROM webhook_bodies WHERE id = ? ORDER BY part",
      id,
    ).map(({ text }) => text).join("");
  }

  /**
   * Tries each id once, in the given order, one after the other. Held and waiting ones are
   * reported, not tried. All are claimed from the beginning: the flusher, when it runs meanwhile,
   * would send those whose turn has not come, and in its own order.
   */
  async deliver(ids: readonly number[]): Promise<Delivery[]> {
    for (const id of ids) this.#inFlight.add(id);
    try {
      return await this.#deliverInOrder(ids);
    } finally {
      for (const id of ids) this.#inFlight.delete(id);
    }
  }

  async #deliverInOrder(ids: readonly number[]): Promise<Delivery[]> {
    const results: Delivery[] = [];
    for (const id of ids) {
      const record = this.record(id);
      if (record === undefined) continue;
      if (record.state === "held" || record.state === "waiting") {
        results.push({
          id_webhook_data: id,
          event: record.event,
          delivered: false,
          status: null,
          held: true,
        });
      } else {
        results.push((await this.#attempt(record)).delivery);
      }
    }
    return results;
  }

  /**
   * Sends an event once more whatever became of it: same body, same `id_webhook_data`, same date
   * unless renewed.
   */
  async redeliver(id: number, nowMs: number | null): Promise<Delivery | null> {
    if (nowMs !== null) {
      this.#store.run("UPDATE webhooks SET signed_date = ? WHERE id = ?", signatureDate(nowMs), id);
    }
    const record = this.record(id);
    return record === undefined ? null : (await this.#attempt(record)).delivery;
  }

  /** Delivers in the background, after the answer to whoever caused the event. */
  deliverLater(ids: readonly number[]): void {
    if (ids.length > 0) this.deliver(ids).catch(() => this.#arm());
  }

  /**
   * One run of the flusher: for each event's path the undelivered ones in order, until 10 failures
   * in a row or 2 time-outs. Two runs never overlap: one that is asked for while another goes on
   * begins after it.
   */
  flush(): Promise<Delivery[]> {
    const run = this.#lastRun.then(() => this.#flushAll());
    this.#lastRun = run.catch(() => []);
    return run;
  }

  async #flushAll(): Promise<Delivery[]> {
    const results: Delivery[] = [];
    for (const event of webhookEvents) {
      let failures = 0;
      let timeouts = 0;
      const pending = this.#store.all<WebhookRecord>(
        "SELECT * FROM webhooks WHERE state = 'pending' AND event = ? ORDER BY id",
        event,
      );
      for (const record of pending) {
        if (failures >= failuresPerRun || timeouts >= timeoutsPerRun) break;
        if (this.#inFlight.has(record.id) || this.record(record.id)?.state !== "pending") continue;
        const { delivery, attempt } = await this.#attempt(record);
        failures = delivery.delivered ? 0 : failures + 1;
        timeouts += attempt.kind === "timeout" ? 1 : 0;
        results.push(delivery);
      }
    }
    return results;
  }

  async #attempt(record: WebhookRecord): Promise<{ delivery: Delivery; attempt: Attempt }> {
    this.#inFlight.add(record.id);
    const attempt = await this.#post(record).finally(() => this.#inFlight.delete(record.id));
    const status = attempt.kind === "answered" ? attempt.status : null;
    const delivered = status !== null && status >= 200 && status < 300;
    this.#store.run(
      "UPDATE webhooks SET attempts = attempts + 1, last_status = ?, last_error = ?, state = CASE WHEN ? = 1 THEN 'delivered' ELSE state END WHERE id = ?",
      status,
      attempt.kind === "answered" ? null : attempt.kind,
      delivered ? 1 : 0,
      record.id,
    );
    if (!delivered && record.state === "pending") this.#arm();
    return {
      delivery: { id_webhook_data: record.id, event: record.event, delivered, status },
      attempt,
    };
  }

  async #post(record: WebhookRecord): Promise<Attempt> {
    const url = new URL(`/webhooks/powens/${record.event}`, this.#env.EDGE_URL);
    const payload = this.bodyText(record.id);
    const secret = signingSecret(this.#env.POWENS_WEBHOOK_SECRET);
    const signature = await signWebhook({
      secret,
      path: url.pathname,
      date: record.signed_date,
      payload,
    });
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          "user-agent": "Powens API/2.0",
          "bi-signature-date": record.signed_date,
          "bi-signature": signature,
        },
        body: payload,
        // A redirect followed would turn the POST into a GET that may well answer 200.
        redirect: "manual",
        signal: AbortSignal.timeout(Number(this.#store.setting("timeout_ms") ?? defaultTimeoutMs)),
      });
      await response.arrayBuffer();
      return { kind: "answered", status: response.status };
    } catch (error) {
      return {
        kind: error instanceof Error && error.name === "TimeoutError" ? "timeout" : "unreachable",
      };
    }
  }

  #demandRoom(): void {
    const waiting = this.#store.first<{ n: number }>(
      "SELECT count(*) AS n FROM webhooks WHERE state <> 'delivered'",
    )?.n ?? 0;
    if (waiting >= queueLimit) {
      throw new QueueFullError(`${queueLimit} webhooks are waiting: flush or release them first`);
    }
  }

  #userOf(id: number): UserRecord {
    const user = this.#store.first<UserRecord>("SELECT * FROM users WHERE id = ?", id);
    if (user === undefined) throw new Error("a connection has no user");
    return user;
  }

  #forgetOld(): void {
    const last = this.#store.first<{ id: number }>(
      "SELECT id FROM webhooks WHERE state = 'delivered' ORDER BY id DESC LIMIT 1 OFFSET ?",
      keptDelivered,
    );
    if (last === undefined) return;
    this.#store.run(
      "DELETE FROM webhook_bodies WHERE id IN (SELECT id FROM webhooks WHERE state = 'delivered' AND id <= ?)",
      last.id,
    );
    this.#store.run("DELETE FROM webhooks WHERE state = 'delivered' AND id <= ?", last.id);
  }
}
