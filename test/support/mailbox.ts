// A substitute for the mail provider, until the globals are restored.
import { expect, vi } from "vitest";
import { bindings } from "./insights-app.ts";

/** The provider's side of the mail: what it was asked to send, and what it answers. */
export function mailbox(status: () => number = () => 202) {
  const sent: { to: string; subject: string; text: string }[] = [];
  vi.stubGlobal("fetch", async (url: string, init: { readonly body: string }) => {
    expect(url).toBe(bindings["EMAIL_DELIVERY_URL"]);
    const code = status();
    if (code < 300) sent.push(JSON.parse(init.body) as (typeof sent)[number]);
    return new Response(null, { status: code });
  });
  return sent;
}
