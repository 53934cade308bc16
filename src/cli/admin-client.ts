// An operator's calls of the routes under one path, each tried again while the server or the network is
// down: every one may be repeated.
const TRIES_MAX = 5;
const PAUSE_MS = 2_000;

export type Call = <T>(method: "GET" | "POST", path: string, body?: unknown) => Promise<T | null>;

/** Answers the JSON, null for 404, and throws the problem's sentence for every other refusal. */
export function operatorCalls(
  url: string,
  base: string,
  token: string,
  pauseMs = PAUSE_MS,
): Call {
  return async <T>(method: "GET" | "POST", path: string, body?: unknown): Promise<T | null> => {
    for (let attempt = 1;; attempt++) {
      const response = await fetch(`${url}${base}${path}`, {
        method,
        redirect: "manual",
        headers: {
          Authorization: `Bearer ${token}`,
          "Accept-Language": "en",
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }).catch(() => null);
      if (response?.ok === true) return (await response.json()) as T;
      if (response?.status === 404) return null;
      const retryable = response === null || response.status >= 500 || response.status === 429;
      if (retryable && attempt < TRIES_MAX) {
        await response?.body?.cancel();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        continue;
      }
      throw new Error(
        response === null
          ? "the server does not answer"
          : `status ${response.status}: ${await detailOf(response)}`,
      );
    }
  };
}

async function detailOf(response: Response): Promise<string> {
  const problem = (await response.json().catch(() => null)) as { detail?: unknown } | null;
  return typeof problem?.detail === "string" ? problem.detail : "no reason given";
}
