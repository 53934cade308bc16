// How a webhook proves itself: BASE64(HMAC-SHA256("POST.<path>.<BI-Signature-Date>.<raw body>")).
// Pure but for WebCrypto. Written apart from the product's verifier on purpose: two readings of the
// documentation that must agree.

/** What one signature covers. */
interface SignedCall {
  readonly secret: string;
  /** Path of the listener, without scheme, host or query. */
  readonly path: string;
  /** The literal text of `BI-Signature-Date`. */
  readonly date: string;
  readonly payload: string;
}

/** The value of `BI-Signature`. The secret is used as UTF-8 text, not decoded. */
export async function signWebhook(call: SignedCall): Promise<string> {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(call.secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const signed = await crypto.subtle.sign(
    "HMAC",
    key,
    encoder.encode(`POST.${call.path}.${call.date}.${call.payload}`),
  );
  return btoa(String.fromCharCode(...new Uint8Array(signed)));
}

/** The secret that signs: the first of a comma separated list. */
export function signingSecret(list: string): string {
  return (list.split(",")[0] ?? "").trim();
}
