// The door between the server and the application: says who calls, counts what is inside, and lets
// nobody in once it is closing.
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";

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
  readonly log: Log;
};

/** Opens the door. No failure leaves it: the server would print it with its message and address. */
export function openGate({ handle, trustedProxies, log }: GateParts): Gate {
  let closing = false;
  let proxyReported = false;
  const callerOf = (remoteAddress: string, forwardedFor: string | null): string => {
    if (
      forwardedFor !== null && !proxyReported && !trustedProxies.has(plainAddress(remoteAddress))
    ) {
      proxyReported = true;
      log.alert("proxy_not_trusted");
    }
    return clientAddress(remoteAddress, forwardedFor, trustedProxies);
  };
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
        const address = callerOf(remoteAddress, request.headers.get("X-Forwarded-For"));
        const accepted = withCaller(request, address);
        return accepted instanceof Response ? accepted : await handle(accepted);
      } catch (error) {
        log.alert("request_failed", { error: errorClass(error) });
        return new Response(null, { status: 500 });
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

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/**
 * The application knows callers by the header that Cloudflare sets; whatever the client wrote there
 * is replaced. A method or an address of which no request can be made is answered here.
 */
function withCaller(request: Request, address: string): Request | Response {
  const { method } = request;
  if (!METHODS.includes(method)) {
    return new Response(null, { status: 405, headers: { Allow: METHODS.join(", ") } });
  }
  const url = urlOf(request);
  if (url === null) return new Response(null, { status: 400 });
  const headers = new Headers(request.headers);
  headers.set("CF-Connecting-IP", address);
  const { body } = request;
  // Built anew and not from the request: its signal belongs to the server, which warns of its use.
  return new Request(url, {
    method,
    headers,
    body,
    redirect: "manual",
    ...(body === null ? {} : { duplex: "half" }),
  });
}

/** Null when `Host` and path make no address, as in `Host: a b`: reading it throws. */
function urlOf(request: Request): string | null {
  try {
    return URL.canParse(request.url) ? request.url : null;
  } catch {
    return null;
  }
}

const WITH_PORT = /^(?:(\d{1,3}(?:\.\d{1,3}){3})|\[([0-9a-f:.]+)\])(?::\d{1,5})?$/i;
const IPV6 = /^[0-9a-f]{0,4}:[0-9a-f:.]+$/i;

/**
 * An address as it is compared and counted: some proxies add a port, which differs in each
 * connection, and sockets of both families show IPv4 as `::ffff:192.0.2.1`. Null for anything else.
 */
export function parseAddress(text: string): string | null {
  const match = WITH_PORT.exec(text);
  const address = match?.[1] ?? match?.[2] ?? text;
  const inside = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1] ?? address;
  return match?.[1] !== undefined || inside !== address || IPV6.test(inside)
    ? inside.toLowerCase()
    : null;
}

function plainAddress(text: string): string {
  return parseAddress(text) ?? text;
}

/**
 * The caller's address: the connection's, unless that is a trusted proxy; then the last address in
 * `X-Forwarded-For` that is not one. Earlier ones were written by the client and mean nothing. What
 * is no address counts as the proxy that wrote it.
 */
export function clientAddress(
  remoteAddress: string,
  forwardedFor: string | null,
  trustedProxies: ReadonlySet<string>,
): string {
  const hops = (forwardedFor ?? "").split(",").map((hop) => hop.trim()).filter((hop) => hop !== "");
  let address = plainAddress(remoteAddress);
  while (trustedProxies.has(address)) {
    const before = parseAddress(hops.pop() ?? "");
    if (before === null) return address;
    address = before;
  }
  return address;
}
