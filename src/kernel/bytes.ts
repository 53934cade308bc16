// Bodies from outside, of requests and of answers, never larger than we allow: a declared length is
// only a promise, a stream may have none, and a small gzip may unfold to anything.
const FIRST_BYTES = 16_384;

/** Reads a body of at most `maxBytes`, or null as soon as it is longer. */
export async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (body === null) return new Uint8Array(0);
  const read = await readReserved(body, maxBytes, () => true);
  return typeof read === "string" ? null : read;
}

/**
 * Reads a body into one buffer, which grows with what has arrived: a length that is only declared
 * costs nothing. Each growth asks `reserve` first. Stops reading, and says why, when the body is
 * longer than `maxBytes`, when `reserve` refuses, or when `signal` aborts.
 */
export async function readReserved(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  reserve: (bytes: number) => boolean,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | "too_large" | "no_room" | "aborted"> {
  const reader = body.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", stop);
  let buffer = new Uint8Array(0);
  let length = 0;
  for (;;) {
    const step = await reader.read();
    if (signal?.aborted === true) return "aborted";
    if (step.done) return buffer.subarray(0, length);
    const needed = length + step.value.byteLength;
    if (needed > maxBytes) {
      stop();
      return "too_large";
    }
    if (needed > buffer.byteLength) {
      const capacity = Math.min(maxBytes, Math.max(needed, 2 * buffer.byteLength, FIRST_BYTES));
      if (!reserve(capacity - buffer.byteLength)) {
        stop();
        return "no_room";
      }
      const grown = new Uint8Array(capacity);
      grown.set(buffer.subarray(0, length));
      buffer = grown;
    }
    buffer.set(step.value, length);
    length = needed;
  }
}

/** What a gzip unfolds to, as it is read. */
export function gunzip(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array> {
  return new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
}
