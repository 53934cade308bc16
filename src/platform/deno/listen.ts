// Opens the port of a server that listens by itself.
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";

type Address = { readonly hostname: string; readonly port: number };
/** `reason`: the class of the failure. */
type ListenError = { readonly code: "port_unusable"; readonly reason: string };

/** Serves at one address and says so. Fails when the port is taken or not allowed. */
export function listenAt(
  { hostname, port }: Address,
  answer: Deno.ServeHandler,
): Result<Deno.HttpServer, ListenError> {
  try {
    const onListen = (): void => console.log(`listening on ${hostname}:${port}`);
    return ok(Deno.serve({ hostname, port, onListen }, answer));
  } catch (error) {
    const reason = error instanceof Error ? error.name : typeof error;
    return err({ code: "port_unusable", reason });
  }
}

/** One sentence for the operator who started the process. */
export function listenSentence({ reason }: ListenError, { hostname, port }: Address): string {
  const why = reason === "AddrInUse" ? "is taken" : `cannot be opened (${reason})`;
  return `port ${port} of ${hostname} ${why}; choose another with PORT=`;
}
