// A small HTTP client of the API and of the sandbox, as a mobile app or a script would write it.
// Knows nothing but addresses.
import { randomUUID } from "node:crypto";

type Answer<T> = { readonly status: number; readonly headers: Headers; readonly body: T };
export type Json = Record<string, unknown>;

type CallOptions = {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly idempotencyKey?: string;
};

/** One call with a JSON body and answer; an empty answer is `null`. Never follows a redirect. */
export async function call<T = Json>(
  method: string,
  url: string,
  body?: unknown,
  options: CallOptions = {},
): Promise<Answer<T>> {
  const headers = new Headers(options.headers);
  if (options.token !== undefined) headers.set("Authorization", `Bearer ${options.token}`);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (method === "POST") headers.set("Idempotency-Key", options.idempotencyKey ?? randomUUID());
  const response = await fetch(url, {
    method,
    headers,
    redirect: "manual",
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text === "" ? null : JSON.parse(text)) as T,
  };
}

/** Calls and demands a status: a story that goes on after a refusal proves nothing. */
export async function expectCall<T = Json>(
  status: number,
  method: string,
  url: string,
  body?: unknown,
  options: CallOptions = {},
): Promise<T> {
  const answer = await call<T>(method, url, body, options);
  if (answer.status !== status) {
    throw new Error(
      `${method} ${url} answered ${answer.status} instead of ${status}: ${
        JSON.stringify(answer.body)
      }`,
    );
  }
  return answer.body;
}

export type Addresses = { readonly edgeUrl: string; readonly sandboxUrl: string };

export type SignedIn = {
  readonly token: string;
  readonly refreshToken: string;
  readonly userId: string;
  readonly created: boolean;
  readonly email: string;
};

/** Signs in by e-mail code, reading the code from the sandbox's mailbox. */
export async function signIn({ edgeUrl, sandboxUrl }: Addresses, email: string): Promise<SignedIn> {
  const { challenge } = await expectCall<{ challenge: string }>(
    202,
    "POST",
    `${edgeUrl}/v1/auth/codes`,
    { email },
  );
  const mailbox = await expectCall<{ data: { code: string | null }[] }>(
    200,
    "GET",
    `${sandboxUrl}/mailbox?to=${encodeURIComponent(email)}`,
  );
  const session = await expectCall<
    { access_token: string; refresh_token: string; user: { id: string; created: boolean } }
  >(
    201,
    "POST",
    `${edgeUrl}/v1/auth/sessions`,
    {
      email,
      // Newer mails may be about something else.
      code: mailbox.data.find(({ code }) => code !== null)?.code ?? "",
      challenge,
      device_name: "Story",
    },
  );
  return {
    token: session.access_token,
    refreshToken: session.refresh_token,
    userId: session.user.id,
    created: session.user.created,
    email,
  };
}

/** Gives what linking a bank needs: terms, bank data, a birth date. */
export async function consent({ edgeUrl }: Addresses, token: string): Promise<void> {
  for (const purpose of ["terms", "bank_data"]) {
    await expectCall(200, "PUT", `${edgeUrl}/v1/me/consents/${purpose}`, {
      granted: true,
      text_version: "1",
    }, { token });
  }
  await expectCall(200, "PATCH", `${edgeUrl}/v1/me`, { birth_date: "1990-05-17" }, { token });
}

type Delivery = {
  readonly rows: readonly {
    readonly id: number;
    readonly value: number;
    readonly original_wording: string;
  }[];
  readonly delivered: boolean;
  readonly status: number | null;
  readonly webhooks: readonly {
    readonly id_webhook_data: number;
    readonly status: number | null;
  }[];
};

/** Makes the bank do something and demands that the product accepted the webhook. */
export async function atBank(
  { sandboxUrl }: Addresses,
  path: string,
  body: Json,
): Promise<Delivery> {
  const done = await call<Delivery>("POST", `${sandboxUrl}${path}`, body);
  if (done.status >= 300 || !done.body.delivered) {
    throw new Error(`${path} at the bank: ${done.status} ${JSON.stringify(done.body)}`);
  }
  return done.body;
}

export type Linked = {
  readonly connectionId: string;
  readonly remoteConnectionId: number;
  readonly redirect: URL;
};

/** Fills the aggregator's page in the place of the user and returns where it sends the browser. */
export async function fillWebview(
  authorizationUrl: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<URL> {
  const form = new URLSearchParams({
    connector_uuid: "338178e6-3d01-564f-9a7b-52ca442459bf",
    login: `demo-${randomUUID()}`,
    password: "1234",
    accounts: "checking,card",
    ...fields,
  });
  const page = await fetch(authorizationUrl, { method: "POST", body: form, redirect: "manual" });
  const target = page.headers.get("Location");
  if (target === null) {
    throw new Error(
      `the webview did not redirect: ${page.status} ${(await page.text()).slice(0, 300)}`,
    );
  }
  return new URL(target);
}

/** Links a bank: start, the aggregator's page, callback. */
export async function linkBank(
  { edgeUrl, sandboxUrl }: Addresses,
  token: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<Linked> {
  const started = await expectCall<{ authorization_url: string }>(
    201,
    "POST",
    `${edgeUrl}/v1/bank-connections`,
    { redirect_uri: `${sandboxUrl}/done` },
    { token },
  );
  const redirect = await fillWebview(started.authorization_url, fields);
  const parameters = Object.fromEntries(redirect.searchParams);
  const linked = await expectCall<{ data: { id: string }[] }>(
    200,
    "POST",
    `${edgeUrl}/v1/bank-connections/callback`,
    parameters,
    { token },
  );
  return {
    connectionId: linked.data[0]?.id ?? "",
    remoteConnectionId: Number(parameters["connection_id"]),
    redirect,
  };
}
