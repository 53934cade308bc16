// A delivery, from its bytes to the ledger (DESIGN.md section 3, steps 1 to 9). Verified before
// anything is read; minimised before anything is kept; answered 200 only after the ledger
// confirmed. What belongs to one user's trouble never blocks the others' queue.
import { isDatabaseFailure } from "../../db/database.ts";
import { hexEncode } from "../../kernel/encoding.ts";
import { sha256Bytes } from "../../kernel/hash.ts";
import { errorClass } from "../../kernel/log.ts";
import { gunzip } from "../../kernel/bytes.ts";
import { backoffMs } from "../connections/index.ts";
import { aggregatorOf } from "../reconcile/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import { processMessage } from "./handle-message.ts";
import type { Failure } from "./failure.ts";
import type { Aggregator, AggregatorName, WebhookEvent, WebhookMessage } from "../ports.ts";
import type { QuarantineEntry } from "../store/index.ts";

/** A first sync carries the whole history, several megabytes of it. */
const WEBHOOK_BYTES_MAX = 16_777_216;

/** Why a body could not be read; see `ReadBody` of the HTTP layer. */
type Unread = "payload_too_large" | "body_incomplete" | "overloaded";
type Read =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly code: Unread };

type Delivery = {
  readonly aggregator: AggregatorName;
  readonly event: WebhookEvent;
  readonly headers: { readonly get: (name: string) => string | null };
  readonly body: ReadableStream<Uint8Array> | null;
  /** Reads within what may be held in memory. */
  readonly read: (stream: ReadableStream<Uint8Array> | null, maxBytes: number) => Promise<Read>;
};

type Reception = "received" | "signature_invalid" | "unavailable" | Unread;

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
  return async ({ aggregator: name, event, headers, body, read }) => {
    const aggregator = aggregatorOf(deps, name);
    if (aggregator === null || !aggregator.events.includes(event)) {
      return refuse("signature_invalid", event);
    }
    const signed = aggregator.signedDelivery(headers);
    if (signed === null) return refuse("signature_invalid", event);
    if (Number(headers.get("Content-Length") ?? "0") > WEBHOOK_BYTES_MAX) {
      return refuse("payload_too_large", event);
    }
    const sent = await read(body, WEBHOOK_BYTES_MAX);
    if (!sent.ok) return refuse(sent.code, event);
    const isGzip = (headers.get("Content-Encoding") ?? "").trim().toLowerCase() === "gzip";
    const verified = await verifiedBytes(
      sent.bytes,
      isGzip ? () => read(gunzip(sent.bytes), WEBHOOK_BYTES_MAX) : null,
      (bytes) => aggregator.verifyWebhook(event, signed, bytes),
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
  bytes: Uint8Array<ArrayBuffer>,
  unfold: (() => Promise<Read>) | null,
  isSigned: (bytes: Uint8Array) => boolean,
): Promise<Uint8Array<ArrayBuffer> | "signature_invalid" | Unread> {
  const asSent = isSigned(bytes);
  if (unfold === null) return asSent ? bytes : "signature_invalid";
  const plain = await unfold();
  if (!plain.ok) {
    // Signed, yet no gzip: some proxies unfold a body and leave the header.
    if (plain.code === "body_incomplete") return asSent ? bytes : "signature_invalid";
    return plain.code;
  }
  return asSent || isSigned(plain.bytes) ? plain.bytes : "signature_invalid";
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
