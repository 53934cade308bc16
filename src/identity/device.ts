// What a mail calls the device that asked: one of a few kinds of machine. Never a text that the
// caller chose, or anybody could write to anybody in our name. Pure.

const KINDS = [
  ["iphone", /iPhone|iPod/],
  ["ipad", /iPad/],
  ["android", /Android|okhttp/],
  ["windows", /Windows/],
  // Apps on every Apple device say this and no more.
  ["apple", /CFNetwork|Darwin|Macintosh/],
  ["linux", /Linux|X11/],
] as const;

export type DeviceKind = (typeof KINDS)[number][0] | "unknown";

/** The kind of machine that a `User-Agent` header claims to be. */
export function deviceKind(userAgent: string | undefined): DeviceKind {
  const text = (userAgent ?? "").slice(0, 512);
  return KINDS.find(([, pattern]) => pattern.test(text))?.[0] ?? "unknown";
}
