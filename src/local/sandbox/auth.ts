// The aggregator's tokens: users, permanent and temporary tokens, codes for the webview, renewal,
// revocation. The sandbox keeps tokens in clear: it is a toy bank on the developer's machine and
// must never be deployed.
import type { Context, Next } from "hono";
import type { SandboxApp, SandboxTypes, Services } from "./context.ts";
import { closeUser } from "./bank.ts";
import { randomToken, readFields } from "./context.ts";
import { errorResponse, jsonResponse } from "./wire.ts";

/** `permanent` and `temporary` open the API; `code-*` are given to the webview or traded. */
type TokenKind =
  | "permanent"
  | "temporary"
  | "code-single"
  | "code-standard"
  | "code-exchange";

interface TokenRecord {
  token: string;
  id_user: number;
  kind: TokenKind;
  expires_ms: number | null;
}

const temporaryMs = 1_800_000;

/** Makes and stores a token of the given kind. */
export function issueToken(
  { store }: Services,
  idUser: number,
  kind: TokenKind,
  nowMs: number,
): string {
  const token = randomToken();
  store.run(
    "INSERT INTO tokens (token, id_user, kind, expires_ms) VALUES (?, ?, ?, ?)",
    token,
    idUser,
    kind,
    kind === "permanent" ? null : nowMs + temporaryMs,
  );
  return token;
}

/** The live token, or undefined when it is unknown or late. */
export function findToken(
  { store }: Services,
  token: string,
  nowMs: number,
): TokenRecord | undefined {
  return store.first<TokenRecord>(
    "SELECT * FROM tokens WHERE token = ? AND (expires_ms IS NULL OR expires_ms > ?)",
    token,
    nowMs,
  );
}

/**
 * Spends a single-use code. Returns its user's id, or null when the code is unknown, late or spent.
 */
export function spendCode(services: Services, code: string, nowMs: number): number | null {
  const record = findToken(services, code, nowMs);
  if (record === undefined || !record.kind.startsWith("code-")) return null;
  services.store.run("DELETE FROM tokens WHERE token = ?", code);
  return record.id_user;
}

/** Makes a temporary user permanent and lets the events that waited for it go. */
function makePermanent({ store, webhooks }: Services, idUser: number): void {
  store.run("UPDATE users SET permanent = 1 WHERE id = ?", idUser);
  const waiting = store.all<{ id: number }>(
    "SELECT id FROM webhooks WHERE id_user = ? AND state = 'waiting' ORDER BY id",
    idUser,
  );
  store.run(
    "UPDATE webhooks SET state = 'pending' WHERE id_user = ? AND state = 'waiting'",
    idUser,
  );
  webhooks.deliverLater(waiting.map(({ id }) => id));
}

/** Temporary users whom no trade made permanent are gone after half an hour, with all of theirs. */
export function dropLateVisitors({ store }: Services, nowMs: number): void {
  const late = store.all<{ id: number }>(
    "SELECT id FROM users WHERE permanent = 0 AND deleted_ms IS NULL AND created_ms <= ?",
    nowMs - temporaryMs,
  );
  for (const { id } of late) {
    closeUser(store, id, nowMs);
    store.run(
      "DELETE FROM webhook_bodies WHERE id IN (SELECT id FROM webhooks WHERE id_user = ? AND state = 'waiting')",
      id,
    );
    store.run("DELETE FROM webhooks WHERE id_user = ? AND state = 'waiting'", id);
    store.run("DELETE FROM webview_sessions WHERE id_user = ?", id);
  }
}

function bearer(request: Request): string | null {
  const match = /^Bearer +(\S+)$/iu.exec(request.headers.get("authorization") ?? "");
  return match?.[1] ?? null;
}

/**
 * Middleware: a live permanent or temporary token is needed, and `{user}` in the path is `me` or
 * that token's user.
 */
export function requireToken(services: Services) {
  return async (c: Context<SandboxTypes>, next: Next): Promise<Response | void> => {
    const token = bearer(c.req.raw);
    const record = token === null ? undefined : findToken(services, token, c.var.nowMs);
    if (record === undefined || (record.kind !== "permanent" && record.kind !== "temporary")) {
      return errorResponse(401, "unauthorized", "A valid token is required.");
    }
    const user = c.req.param("user");
    if (user !== undefined && user !== "me" && user !== String(record.id_user)) {
      return errorResponse(404, "notFound", "Ressource was not found.");
    }
    c.set("idUser", record.id_user);
    return next();
  };
}

function hasClient({ env }: Services, fields: Record<string, unknown>): boolean {
  return String(fields["client_id"]) === env.POWENS_CLIENT_ID &&
    fields["client_secret"] === env.POWENS_CLIENT_SECRET;
}

const wrongClient = () =>
  errorResponse(401, "unauthorized", "client_id or client_secret is wrong.");
const malformed = () => errorResponse(400, "invalidValue", "The body is not a JSON object.");

function mountUserCreation(app: SandboxApp, services: Services): void {
  app.post("/2.0/auth/init", async (c) => {
    const fields = await readFields(c.req.raw);
    if (fields === null) return malformed();
    const permanent = fields["client_id"] !== undefined || fields["client_secret"] !== undefined;
    if (permanent && !hasClient(services, fields)) return wrongClient();
    const idUser = services.store.addUser(permanent, c.var.nowMs);
    const kind = permanent ? "permanent" : "temporary";
    return jsonResponse({
      auth_token: issueToken(services, idUser, kind, c.var.nowMs),
      type: kind,
      id_user: idUser,
      expires_in: permanent ? null : temporaryMs / 1000,
    });
  });
}

/** Codes: made by a user's token, traded for a permanent one by the client. */
function mountCodes(app: SandboxApp, services: Services): void {
  app.get("/2.0/auth/token/code", requireToken(services), (c) => {
    const single = c.req.query("type") === "singleAccess";
    const code = issueToken(
      services,
      c.var.idUser,
      single ? "code-single" : "code-standard",
      c.var.nowMs,
    );
    return jsonResponse({
      code,
      type: "temporary",
      access: single ? "single" : "standard",
      expires_in: temporaryMs / 1000,
    });
  });

  app.post("/2.0/auth/token/access", async (c) => {
    const fields = await readFields(c.req.raw);
    if (fields === null) return malformed();
    if (!hasClient(services, fields)) return wrongClient();
    if (typeof fields["code"] !== "string") {
      return errorResponse(400, "missingParameter", "code is required.");
    }
    const idUser = spendCode(services, fields["code"], c.var.nowMs);
    if (idUser === null) {
      return errorResponse(400, "invalidValue", "code is unknown, expired or used.");
    }
    makePermanent(services, idUser);
    return jsonResponse({
      access_token: issueToken(services, idUser, "permanent", c.var.nowMs),
      token_type: "Bearer",
    });
  });
}

function mountRenewal(app: SandboxApp, services: Services): void {
  app.post("/2.0/auth/renew", async (c) => {
    const fields = await readFields(c.req.raw);
    if (fields === null) return malformed();
    if (!hasClient(services, fields)) return wrongClient();
    // Without id_user a user is created: the published OpenAPI says so, and a client that forgets
    // it pays for it.
    const idUser = fields["id_user"] === undefined
      ? services.store.addUser(true, c.var.nowMs)
      : Number(fields["id_user"]);
    if (!Number.isInteger(idUser) || services.store.user(idUser) === undefined) {
      return errorResponse(404, "notFound", "Ressource was not found.");
    }
    if (fields["revoke_previous"] === true) {
      services.store.run("DELETE FROM tokens WHERE id_user = ?", idUser);
    }
    makePermanent(services, idUser);
    return jsonResponse({
      access_token: issueToken(services, idUser, "permanent", c.var.nowMs),
      token_type: "Bearer",
    });
  });
}

/** Mounts `/auth/*`. */
export function mountAuth(app: SandboxApp, services: Services): void {
  mountUserCreation(app, services);
  mountCodes(app, services);
  mountRenewal(app, services);
  app.delete("/2.0/auth/token", requireToken(services), (c) => {
    services.store.run("DELETE FROM tokens WHERE token = ?", bearer(c.req.raw));
    return c.body(null, 204);
  });
}
