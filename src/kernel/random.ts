/** A source of cryptographically strong bytes, passed in so that tests and the simulation can replay it. */
export type RandomBytes = (length: number) => Uint8Array<ArrayBuffer>;

/** The platform's own generator (Web Crypto), the same in workerd, Deno and Node. */
export function systemRandomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}
