// From a change at the bank to the product: synchronise, write the webhook, deliver it, and say
// what came of it. Every control that changes rows ends here, so that they all report alike.
import { synchronise } from "./bank.ts";
import type { Services } from "./context.ts";
import { transactionBody } from "./bodies.ts";
import type { RowRecord } from "./model.ts";
import type { Delivery } from "./webhooks.ts";

/** What a control reports of the webhook that it caused. */
interface Announcement {
  /** True when the product answered 2xx to the last webhook of this control. */
  readonly delivered: boolean;
  readonly status: number | null;
  readonly webhooks: readonly Delivery[];
  /** Why nothing was sent, if so. */
  readonly reason?: string;
}

/** How far the report travels. */
interface Reach {
  readonly sync: boolean;
  readonly webhook: boolean;
}

/** The report for a list of attempts. */
export function report(deliveries: readonly Delivery[]): Announcement {
  const last = deliveries.at(-1);
  return {
    delivered: deliveries.length > 0 && deliveries.every(({ delivered }) => delivered),
    status: last?.status ?? null,
    webhooks: deliveries,
    ...(last?.held === true ? { reason: "held" } : {}),
  };
}

/**
 * Synchronises the connection and sends CONNECTION_SYNCED (and ACCOUNT_SYNCED, if the setting asks
 * for it).
 */
export async function announce(
  services: Services,
  idConnection: number,
  reach: Reach,
  nowMs: number,
): Promise<Announcement> {
  const { store, webhooks } = services;
  const silent = (reason: string): Announcement => ({
    delivered: false,
    status: null,
    webhooks: [],
    reason,
  });
  if (!reach.sync) return silent("not synchronised: the aggregator does not know yet");
  const healthy = synchronise(store, idConnection, nowMs);
  const connection = store.connection(idConnection);
  if (connection === undefined) return silent("the connection is gone");
  if (!healthy) {
    return silent(
      `the connection is in state ${
        connection.state ?? "unknown"
      }: the aggregator cannot read the bank`,
    );
  }
  const accounts = store.accountsOf(idConnection).filter(({ disabled, deleted }) =>
    disabled === null && deleted === null
  );
  if (!reach.webhook) {
    for (const { id } of accounts) store.run("UPDATE rows SET pushed = 1 WHERE id_account = ?", id);
    return silent("webhook suppressed: the product can find it by reading only");
  }
  const ids: number[] = [];
  if (store.setting("account_synced") === "true") {
    for (const { id } of accounts) {
      const rows = store.all<RowRecord>(
        "SELECT * FROM rows WHERE id_account = ? AND pushed = 0 ORDER BY id",
        id,
      );
      if (rows.length > 0) {
        ids.push(webhooks.enqueueAccountSynced(
          id,
          connection,
          rows.map((row) => transactionBody(row, true)),
          nowMs,
        ));
      }
    }
  }
  ids.push(webhooks.enqueueConnectionSynced(connection, nowMs));
  return report(await webhooks.deliver(ids));
}
