// Hands e-mails to the HTTP provider. Addresses and contents pass through and are never logged.
import { errorClass } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import { err, ok } from "../kernel/result.ts";
import type { Mailer } from "./ports.ts";

type MailerDeps = {
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly log: Log;
};

// A person is waiting for the answer; a provider slower than this is down for them.
const TIMEOUT_MS = 8_000;

/** A mailer over `POST {to, subject, text, html}` with a bearer token. Any 2xx is a delivery. */
export function httpMailer(deps: MailerDeps): Mailer {
  // Called free of `deps`: workerd refuses its fetch as a method of another object.
  const { fetch: send, log } = deps;
  return {
    async send(message) {
      try {
        const response = await send(deps.url, {
          method: "POST",
          headers: { Authorization: `Bearer ${deps.token}`, "Content-Type": "application/json" },
          body: JSON.stringify({
            to: message.to,
            subject: message.subject,
            text: message.text,
            html: message.html,
          }),
          // A redirect would carry a person's address and our token to a place nobody configured.
          redirect: "manual",
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        await response.body?.cancel();
        if (response.ok) return ok(null);
        log.alert("email_refused", { status: response.status });
      } catch (error) {
        log.alert("email_failed", { error: errorClass(error) });
      }
      return err({ code: "email_unavailable" });
    },
  };
}
