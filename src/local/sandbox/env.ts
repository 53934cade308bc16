// What the local system hands to the sandbox. Everything is text, as miniflare gives it; the clock
// is a service binding. The sandbox must not know more of the product than these values.

/** The bindings of the sandbox Worker. */
export interface SandboxEnv {
  /** The one object that holds the whole state. */
  readonly BANK: DurableObjectNamespace;
  /** Where webhooks go and the clock is moved, e.g. `http://127.0.0.1:8787`. */
  readonly EDGE_URL: string;
  /** The sandbox's own address, used in paging links and in the issuer of operators' tokens. */
  readonly PUBLIC_URL: string;
  readonly POWENS_CLIENT_ID: string;
  readonly POWENS_CLIENT_SECRET: string;
  /** May hold two secrets, comma separated, while one is replaced: the first signs. */
  readonly POWENS_WEBHOOK_SECRET: string;
  readonly EMAIL_DELIVERY_TOKEN: string;
  /** A private JWK (ES256 or RS256, with `kid`) as JSON. */
  readonly ACCESS_SIGNING_KEY: string;
  readonly ACCESS_AUDIENCE: string;
  /**
   * `GET http://clock/` answers `{"now_ms": number}`. Without it the sandbox uses the machine's
   * time.
   */
  readonly LOCAL_CLOCK?: Fetcher;
}

/** Now in milliseconds on the local system's clock, which may run ahead of the machine's. */
export async function readClock(env: Pick<SandboxEnv, "LOCAL_CLOCK">): Promise<number> {
  if (env.LOCAL_CLOCK === undefined) return Date.now();
  const response = await env.LOCAL_CLOCK.fetch("http://clock/");
  const body: unknown = await response.json();
  if (
    typeof body !== "object" || body === null || !("now_ms" in body) ||
    typeof body.now_ms !== "number"
  ) {
    throw new Error("LOCAL_CLOCK gave no now_ms");
  }
  return body.now_ms;
}
