// Whether anybody answers at the aggregator's address. Needs no token and reads nothing.
import type { PowensClientDeps } from "./client.ts";

const TIME_LIMIT_MS = 3000;

/**
 * Any answer below 500 will do: this is about the address and the network, not about credentials.
 */
export function powensProbe(
  deps: Pick<PowensClientDeps, "apiUrl" | "fetch" | "timeLimit">,
): () => Promise<boolean> {
  return async () => {
    try {
      const response = await deps.fetch(`${deps.apiUrl}/2.0/connectors?limit=1`, {
        method: "GET",
        headers: { Accept: "application/json" },
        redirect: "manual",
        signal: deps.timeLimit(TIME_LIMIT_MS),
      });
      await response.body?.cancel();
      return response.status < 500;
    } catch {
      return false;
    }
  };
}
