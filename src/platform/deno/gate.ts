// The door between the server and the application: says who calls, counts what is inside, and lets
// nobody in once it is closing.

export type Gate = {
  readonly fetch: (request: Request, remoteAddress: string) => Promise<Response>;
  /**
   * Refuses everything new with 503 and resolves when what was accepted is answered, or after
   * `atMostMs`.
   */
  readonly close: (atMostMs: number) => Promise<void>;
};

type GateParts = {
  readonly handle: (request: Request) => Promise<Response>;
  /** Addresses whose `X-Forwarded-For` is believed: our own reverse proxy. */
  readonly trustedProxies: ReadonlySet<string>;
};

export function openGate({ handle, trustedProxies }: GateParts): Gate {
  let closing = false;
  let inside = 0;
  let emptied: () => void = () => {};
  return {
    async fetch(request, remoteAddress) {
      if (closing) {
        return new Response(null, {
          status: 503,
          headers: { "Retry-After": "5", Connection: "close" },
        });
      }
      inside += 1;
      try {
        return await handle(
          withCaller(
            request,
            clientAddress(remoteAddress, request.headers.get("X-Forwarded-For"), trustedProxies),
          ),
        );
      } finally {
        inside -= 1;
        if (inside === 0) emptied();
      }
    },
    async close(atMostMs) {
      closing = true;
      if (inside === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, atMostMs);
        emptied = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}

/**
 * The application knows callers by the header that Cloudflare sets; whatever the client wrote there
 * is replaced.
 */
function withCaller(request: Request, address: string): Request {
  const headers = new Headers(request.headers);
  headers.set("CF-Connecting-IP", address);
  const { url, method, body } = request;
  // Built anew and not from the request: its signal belongs to the server, which warns of its use.
  return new Request(url, {
    method,
    headers,
    body,
    redirect: "manual",
    ...(body === null ? {} : { duplex: "half" }),
  });
}

/**
 * The caller's address: the connection's, unless that is a trusted proxy; then the last address in
 * `X-Forwarded-For` that is not one. Earlier ones were written by the client and mean nothing.
 */
export function clientAddress(
  remoteAddress: string,
  forwardedFor: string | null,
  trustedProxies: ReadonlySet<string>,
): string {
  const hops = (forwardedFor ?? "").split(",").map((hop) => hop.trim()).filter((hop) => hop !== "");
  let address = remoteAddress;
  while (trustedProxies.has(address)) {
    const before = hops.pop();
    if (before === undefined) return address;
    address = before;
  }
  return address;
}
