// Calls to other services. Each failure leaves one line with host and class: a caller answers 503
// and forgets why, and an operator could not tell a wrong address from a missing permission.
import { errorClass, hostOf } from "./log.ts";
import type { Log } from "./log.ts";

type Fetch = typeof fetch;

/**
 * The same fetch, which logs a call without an answer, an answer of 500 and above, and a body that
 * breaks off. The failure itself is passed on unchanged.
 */
export function loggedFetch(send: Fetch, log: Log): Fetch {
  return async (input, init) => {
    const host = hostOf(input instanceof Request ? input.url : String(input));
    const failed = (error: unknown): void =>
      log.alert("outgoing_call_failed", { host, error: errorClass(error) });
    let response: Response;
    try {
      response = await send(input, init);
    } catch (error) {
      failed(error);
      throw error;
    }
    if (response.status >= 500) {
      log.alert("outgoing_call_failed", { host, status: response.status });
    }
    return response.body === null
      ? response
      : new Response(logged(response.body, failed), response);
  };
}

function logged(
  body: ReadableStream<Uint8Array>,
  failed: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        failed(error);
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
