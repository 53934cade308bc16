// A delivery, from its bytes to the ledger (DESIGN.md section 3, steps 1 to 9). Verified before
// anything is read; minimised before anything is kept; answered 200 only after the ledger
// confirmed. What belongs to one user's trouble never blocks the others' queue.
import { isDatabaseFailure } from "../../db/database.ts";
import { hexEncode } from "../../kernel/encoding.ts";
import { sha256Bytes } from "../../kernel/hash.ts";
import { errorClass } from "../../kernel/log.ts";
import { gunzipAtMost, readAtMost } from "../../kernel/bytes.ts";
import { backoffMs } from "../connections/index.ts";
import { aggregatorOf } from "../reconcile/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import { processMessage } from "./handle-message.ts";
import type { Failure } from "./failure.ts";
import type {
  Aggregator,
  AggregatorName,
  SignedDelivery,
  WebhookEvent,
  WebhookMessage,
} from "../ports.ts";
import type { QuarantineEntry } from "../store/index.ts";

/** A first sync carries the whole history, several megabytes of it. */
const WEBHOOK_BYTES_MAX = 16_777_216;

type Delivery = {
  readonly aggregator: AggregatorName;
  readonly event: WebhookEvent;
  readonly headers: { readonly get: (name: string) => string | null };
  readonly body: ReadableStream<Uint8Array> | null;
};

type Reception = "received" | "signature_invalid" | "payload_too_large" | "unavailable";

/** Receives webhooks. Refusals are counted in memory and logged; they cost no read and no write. */
export function createReceiver(deps: BankingDeps): (delivery: Delivery) => Promise<Reception> {
  let refusals = 0;
  const refuse = (
    reason: Exclude<Reception, "received" | "unavailable">,
    event: string,
  ): Reception => {
    refusals += 1;
    deps.log.info("webhook_refused", { webhook: event, reason, refusals });
    return reason;
  };
  return async ({ aggregator: name, event, headers, body }) => {
    const aggregator = aggregatorOf(deps, name);
    if (aggregator === null || !aggregator.events.includes(event)) {
      return refuse("signature_invalid", event);
    }
    const signed = aggregator.signedDelivery(headers);
    if (signed === null) return refuse("signature_invalid", event);
    if (Number(headers.get("Content-Length") ?? "0") > WEBHOOK_BYTES_MAX) {
      return refuse("payload_too_large", event);
    }
    const bytes = await readAtMost(body, WEBHOOK_BYTES_MAX);
    if (bytes === null) return refuse("payload_too_large", event);
    const verified = await verifiedBytes(
      aggregator,
      event,
      signed,
      bytes,
      (headers.get("Content-Encoding") ?? "").trim().toLowerCase(),
    );
    if (typeof verified === "string") return refuse(verified, event);
    return receiveVerified(deps, aggregator, event, verified);
  };
}

/**
 * The plain bytes once their signature holds. Whether it covers the compressed or the plain ones is
 * not documented: either will do.
 */
async function verifiedBytes(
  aggregator: Aggregator,
  event: WebhookEvent,
  signed: SignedDelivery,
  bytes: Uint8Array<ArrayBuffer>,
  encoding: string,
): Promise<Uint8Array<ArrayBuffer> | "signature_invalid" | "payload_too_large"> {
  const asSent = await aggregator.verifyWebhook(event, signed, bytes);
  if (encoding !== "gzip") return asSent ? bytes : "signature_invalid";
  const plain = await gunzipAtMost(bytes, WEBHOOK_BYTES_MAX);
  if (plain === "too_large") return "payload_too_large";
  // Signed, yet no gzip: some proxies unfold a body and leave the header.
  if (plain === "not_gzip") return asSent ? bytes : "signature_invalid";
  return asSent || (await aggregator.verifyWebhook(event, signed, plain.bytes))
    ? plain.bytes
    : "signature_invalid";
}

async function receiveVerified(
  deps: BankingDeps,
  aggregator: Aggregator,
  event: WebhookEvent,
  bytes: Uint8Array,
): Promise<Reception> {
  let message: WebhookMessage | null = null;
  try {
    let trouble: Failure | "unavailable" | null;
    try {
      message = aggregator.readWebhook(event, bytes);
      trouble = message === null
        ? { reason: "not_understood", connectionId: null }
        : await processMessage(deps, aggregator, event, message);
    } catch (error) {
      if (isDatabaseFailure(error)) throw error;
      // Whatever this is, it would meet every redelivery too, and hold up everybody behind it.
      deps.log.alert("webhook_defect", {
        webhook: event,
        connection_id: null,
        error: errorClass(error),
      });
      trouble = { reason: "defect", connectionId: null };
    }
    if (trouble === "unavailable") return "unavailable";
    if (trouble !== null) {
      await quarantine(deps, trouble, {
        provider: aggregator.name,
        event,
        remoteUserId: message?.remoteUserId ?? null,
        remoteConnectionId: message?.remoteConnectionId ?? null,
        reason: trouble.reason,
        bodyBytes: bytes.length,
        bodyHash: hexEncode(sha256Bytes(bytes)),
      });
    }
    return "received";
  } catch (error) {
    if (!isDatabaseFailure(error)) throw error;
    deps.log.alert("webhook_unavailable", { webhook: event, error: errorClass(error) });
    return "unavailable";
  }
}

/**
 * Notes a message that could not be used, with the connection's repair where there is one, in one
 * batch, and calls a person.
 */
async function quarantine(
  deps: BankingDeps,
  trouble: Failure,
  entry: QuarantineEntry,
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  if (trouble.connectionId === null) await deps.store.quarantine(entry, nowMs);
  else {await deps.store.quarantineForRepair(
      trouble.connectionId,
      trouble.reason,
      entry,
      nowMs,
      nowMs + backoffMs(0),
    );}
  deps.log.alert("webhook_quarantined", {
    webhook: entry.event,
    reason: entry.reason,
    connection_id: trouble.connectionId,
    body_bytes: entry.bodyBytes,
  });
}
