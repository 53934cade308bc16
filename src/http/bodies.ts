// How much of what strangers send is held in memory. Bodies are read before anybody knows who sends
// them (a signature covers them), so all that are being held share one budget: forty large ones
// once took a process to 1.7 GiB.
import { readReserved } from "../kernel/bytes.ts";
import { SECOND_MS } from "../kernel/time.ts";

/** Of all bodies at once. An isolate has 128 MiB. */
const BODIES_BYTES_MAX = 33_554_432;
/** From the first byte to the last. */
const BODY_MS_MAX = 10 * SECOND_MS;

/**
 * Who sends, as far as it is known before the body is read. `stranger`: anybody, a large body.
 * `caller`: anybody, a small one. `known`: an operator with a token, a network whose last delivery
 * was signed.
 */
export type Standing = "stranger" | "caller" | "known";

// Up to where each may fill the budget: strangers can never take the room of those who are known.
// Theirs is enough for one delivery of the largest size, folded and unfolded.
const SHARES = { stranger: 0.625, caller: 0.8, known: 1 } as const satisfies Record<
  Standing,
  number
>;

export type BodyRefusal = "payload_too_large" | "body_incomplete" | "overloaded";
type BodyRead =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly ok: false; readonly code: BodyRefusal };
type ReadBody = (
  stream: ReadableStream<Uint8Array> | null,
  maxBytes: number,
) => Promise<BodyRead>;

export type Bodies = {
  /** For one request. What was read counts until `close`. */
  readonly open: (standing: Standing) => { readonly read: ReadBody; readonly close: () => void };
};

/** Calls back once after so long, unless the returned function was called. */
export type StartTimer = (afterMs: number, run: () => void) => () => void;

/** The bodies of one process or isolate. */
export function openBodies(
  startTimer: StartTimer,
  limits: { readonly bytesMax: number; readonly bodyMsMax: number } = {
    bytesMax: BODIES_BYTES_MAX,
    bodyMsMax: BODY_MS_MAX,
  },
): Bodies {
  let heldBytes = 0;
  return {
    open(standing) {
      let ownBytes = 0;
      const reserve = (bytes: number): boolean => {
        if (heldBytes + bytes > limits.bytesMax * SHARES[standing]) return false;
        heldBytes += bytes;
        ownBytes += bytes;
        return true;
      };
      return {
        async read(stream, maxBytes) {
          if (stream === null) return { ok: true, bytes: new Uint8Array(0) };
          const late = new AbortController();
          const stopTimer = startTimer(limits.bodyMsMax, () => late.abort());
          try {
            const read = await readReserved(stream, maxBytes, reserve, late.signal);
            return typeof read === "string"
              ? { ok: false, code: REFUSALS[read] }
              : { ok: true, bytes: read };
          } catch {
            // The sender went away, or what should unfold does not.
            return { ok: false, code: "body_incomplete" };
          } finally {
            stopTimer();
          }
        },
        close() {
          heldBytes -= ownBytes;
          ownBytes = 0;
        },
      };
    },
  };
}

const REFUSALS = {
  too_large: "payload_too_large",
  no_room: "overloaded",
  aborted: "body_incomplete",
} as const satisfies Record<string, BodyRefusal>;
