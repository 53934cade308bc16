// What a visitor of the webview may act on: the session that a code opens, its user's connections
// and their accounts. A code is spent at the first form sent, not when the page is opened, so that
// a reload does no harm.
import { spendCode } from "./auth.ts";
import { randomToken } from "./context.ts";
import type { Services } from "./context.ts";
import type { AccountRecord, ConnectionRecord } from "./model.ts";
import type { Link } from "./webview-link.ts";
import type { AccountChoice } from "./webview-pages.ts";

/** A row of webview_sessions. */
export interface Session {
  id: string;
  id_user: number;
  id_connection: number | null;
  gives_code: number;
  expires_ms: number;
}

const kinds: Record<string, string> = {
  checking: "checking",
  card: "card",
  savings: "livret_a",
  livret_a: "livret_a",
};

/** The session of a form, or a new one for the link's code; null when neither is valid. */
export function sessionOf(
  services: Services,
  link: Link,
  id: unknown,
  nowMs: number,
): Session | null {
  const { store } = services;
  if (typeof id === "string" && id !== "") {
    return store.first<Session>(
      "SELECT * FROM webview_sessions WHERE id = ? AND expires_ms > ?",
      id,
      nowMs,
    ) ?? null;
  }
  const idUser = link.code === null
    ? store.addUser(false, nowMs)
    : spendCode(services, link.code, nowMs);
  if (idUser === null) return null;
  const session = {
    id: randomToken(18),
    id_user: idUser,
    id_connection: null,
    gives_code: link.code === null ? 1 : 0,
    expires_ms: nowMs + 1_800_000,
  };
  store.run(
    "INSERT INTO webview_sessions (id, id_user, gives_code, expires_ms) VALUES (?, ?, ?, ?)",
    session.id,
    idUser,
    session.gives_code,
    session.expires_ms,
  );
  return session;
}

/** The named connection when it is the session user's, or the newest when none is named. */
export function ownConnection(
  { store }: Services,
  session: { readonly id_user: number },
  id: string | null,
): ConnectionRecord | undefined {
  const connection = id === null
    ? store.connectionsOf(session.id_user).at(-1)
    : store.connection(Number(id));
  return connection?.id_user === session.id_user ? connection : undefined;
}

/** The accounts that the page offers for the link. */
export function accountChoices(
  { store }: Services,
  link: Link,
  idConnection: number,
): AccountChoice[] {
  const types = (link.params.get("account_types") ?? "").split(",").filter((type) => type !== "")
    .map((type) => kinds[type] ?? type);
  return store.accountsOf(idConnection).filter((account) => account.deleted === null).flatMap(
    (account) => {
      const bank = store.bankAccount(account.bank_account);
      if (types.length > 0 && !types.includes(bank.kind)) return [];
      const detail = bank.kind === "card" ? "débit différé" : `•••• ${bank.number.slice(-4)}`;
      const checked = link.flow === "manage" ? account.disabled === null : bank.kind !== "livret_a";
      return [{ id: account.id, kind: bank.kind, name: bank.name, detail, checked }];
    },
  );
}

/** The accounts that a form names, by id or by kind (`checking`, `card`, `savings`). */
export function chosenAccounts(
  services: Services,
  link: Link,
  idConnection: number,
  field: unknown,
): AccountRecord[] {
  const wanted = (Array.isArray(field) ? field : [field]).flatMap((item) =>
    String(item ?? "").split(",")
  ).filter((item) => item !== "");
  return accountChoices(services, link, idConnection)
    .filter(({ id, kind }) =>
      wanted.includes(String(id)) || wanted.some((item) => kinds[item] === kind)
    )
    .map(({ id }) => services.store.account(id) as AccountRecord);
}
