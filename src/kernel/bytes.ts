// Bodies from outside, never larger than we allow: a declared length is only a promise and a small
// gzip may unfold to anything.

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
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
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
