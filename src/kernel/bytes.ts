// Bodies from outside, of requests and of answers, never larger than we allow: a declared length is
// only a promise, a stream may have none, and a small gzip may unfold to anything.
import { concatBytes } from "./encoding.ts";

/** Reads a body of at most `maxBytes`, or null as soon as it is longer. */
export async function readAtMost(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (body === null) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const step = await reader.read();
    if (step.done) break;
    length += step.value.byteLength;
    if (length > maxBytes) {
      await reader.cancel();
      return null;
    }
    parts.push(step.value);
  }
  return concatBytes(...parts);
}

/** Unfolds gzip to at most `maxBytes`. */
export async function gunzipAtMost(
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer> } | "too_large" | "not_gzip"> {
  try {
    const unfolded = await readAtMost(
      new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")),
      maxBytes,
    );
    return unfolded === null ? "too_large" : { bytes: unfolded };
  } catch {
    return "not_gzip";
  }
}
