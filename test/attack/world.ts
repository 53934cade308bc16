// What an attack is made against: an edge behind one function, and what an attacker or an honest
// person can do beside it. The same attacks run in this process, on workerd and on Deno.
export type Sent = {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  /** The address that the call comes from; only the edge in this process believes it. */
  readonly from?: string;
};
export type Got = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
};

export type World = {
  readonly name: string;
  readonly send: (method: string, path: string, sent?: Sent) => Promise<Got>;
  /** The newest code that was mailed to the address. */
  readonly codeFor: (email: string) => Promise<string>;
  /** The token of a listed person of that role. */
  readonly operator: (role: string, subject?: string) => Promise<string>;
  /** A good token of the same person for another application of the same company. */
  readonly operatorElsewhere: () => Promise<string>;
  readonly webhookSecret: string;
  readonly redirectUri: string;
  /** Somebody types credentials on the page of that address; what the redirect brings back. */
  readonly throughBank: (authorizationUrl: string) => Promise<Record<string, string>>;
  /** Moves the clock of the whole system on. */
  readonly advance: (ms: number) => Promise<void>;
  /** How many lines of the log name this alert. */
  readonly alerts: (code: string) => Promise<number>;
  readonly dispose: () => Promise<void>;
};

/** What a class of attacks found. */
export type Report = {
  readonly name: string;
  readonly tried: number;
  readonly findings: readonly string[];
  /** Measured, for the reader. */
  readonly notes?: Readonly<Record<string, number | string>>;
};

/** Builds a request and reads its answer, through whatever carries it. */
export async function exchange(
  carry: (request: Request) => Promise<Response>,
  origin: string,
  method: string,
  path: string,
  { token, headers = {}, body, raw, from }: Sent,
): Promise<Got> {
  const all = new Headers(headers);
  if (token !== undefined) all.set("Authorization", `Bearer ${token}`);
  if (from !== undefined) all.set("CF-Connecting-IP", from);
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  if (content !== undefined && !all.has("Content-Type")) {
    all.set("Content-Type", "application/json");
  }
  if (method === "POST" && !all.has("Idempotency-Key")) {
    all.set("Idempotency-Key", crypto.randomUUID());
  }
  const response = await carry(
    new Request(`${origin}${path}`, {
      method,
      headers: all,
      redirect: "manual",
      ...(content === undefined ? {} : { body: content }),
    }),
  );
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: objectIn(text) };
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}

export type User = { readonly token: string; readonly refresh: string; readonly email: string };

let serial = 0;

/** An honest person who signs in for the first time. */
export function newUser(world: World, from?: string): Promise<User> {
  return signIn(world, `person-${Date.now()}-${++serial}@example.org`, from);
}

/** Whoever reads the mails of the address signs in. */
export async function signIn(world: World, email: string, from?: string): Promise<User> {
  const origin = from === undefined ? {} : { from };
  const asked = await world.send("POST", "/v1/auth/codes", { body: { email }, ...origin });
  const signed = await world.send("POST", "/v1/auth/sessions", {
    body: { email, code: await world.codeFor(email), challenge: asked.json["challenge"] },
    ...origin,
  });
  if (signed.status !== 201) throw new Error(`sign-in answered ${signed.status} ${signed.text}`);
  return {
    email,
    token: String(signed.json["access_token"]),
    refresh: String(signed.json["refresh_token"]),
  };
}

/** A person who may link a bank. */
export async function consentingUser(world: World): Promise<User> {
  const user = await newUser(world);
  for (const purpose of ["terms", "bank_data"]) {
    await world.send("PUT", `/v1/me/consents/${purpose}`, {
      token: user.token,
      body: { granted: true, text_version: "1" },
    });
  }
  await world.send("PATCH", "/v1/me", { token: user.token, body: { birth_date: "1990-05-17" } });
  return user;
}
