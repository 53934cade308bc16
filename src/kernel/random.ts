/**
 * A source of cryptographically strong bytes, passed in so that tests and the simulation can replay
 * it.
 */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** The platform's own generator (Web Crypto), the same in workerd, Deno and Node. */
export function systemRandomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

const POOL_BYTES = 512;

/**
 * The same source, asked for many bytes at once: one draw of a few bytes costs the platform's
 * generator as much as one of hundreds.
 */
export function pooled(random: RandomBytes): RandomBytes {
  let pool = new Uint8Array(0);
  let used = 0;
  return (length) => {
    if (used + length > pool.length) {
      pool = random(Math.max(length, POOL_BYTES));
      used = 0;
    }
    used += length;
    // A copy: what was handed out is the caller's, and no byte is handed out twice.
    return pool.slice(used - length, used);
  };
}
