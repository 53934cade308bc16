// Lists of transactions: compulsory `limit`, filters, absolute paging links. Deleted rows and rows
// of opted-out accounts are shown as at the aggregator: the first by `all` or `deleted` only, the
// second never.
import { requireToken } from "./auth.ts";
import { transactionBody } from "./bodies.ts";
import type { SandboxApp, SandboxContext, Services } from "./context.ts";
import type { RowRecord } from "./model.ts";
import { decodeCursor, hasFlag, pageLinks, parseLimit } from "./paging.ts";
import { dateBound } from "./powens-time.ts";
import { notFound } from "./resource-query.ts";
import type { Store } from "./store.ts";
import { docOf } from "./store.ts";
import { errorResponse, jsonResponse } from "./wire.ts";

interface Filter {
  readonly where: string[];
  readonly values: (string | number | null)[];
}

/** The SQL conditions of the query, or the error that it deserves. */
function filterOf(params: URLSearchParams): Filter | Response {
  const where: string[] = [];
  const values: (string | number | null)[] = [];
  const add = (condition: string, ...bound: (string | number)[]) => {
    where.push(condition);
    values.push(...bound);
  };
  for (
    const [name, operator, end] of [["min_date", ">=", "first"], [
      "max_date",
      "<=",
      "last",
    ]] as const
  ) {
    const text = params.get(name);
    if (text === null) continue;
    const bound = dateBound(text, end);
    if (bound === null) return errorResponse(400, "invalidValue", `${name} is not a date.`);
    const column = params.get("filter") === "application_date"
      ? "json_extract(r.doc, '$.rdate')"
      : "r.date";
    add(`${column} ${operator} ?`, bound);
  }
  // "Changed after", to the second and in Paris wall time like every last_update: a client that
  // takes its mark literally loses the rows that changed later in the same second, and one hour in
  // autumn. Both are its problem to solve.
  const after = params.get("last_update");
  if (after !== null) add("r.last_update > ?", after.replace("T", " ").slice(0, 19));
  if (hasFlag(params, "deleted")) where.push("r.deleted IS NOT NULL");
  else if (!hasFlag(params, "all")) where.push("r.deleted IS NULL");
  const income = params.get("income");
  if (income !== null) {
    where.push(
      `json_extract(r.doc, '$.value') ${hasFlag(params, "income") ? "NOT LIKE" : "LIKE"} '-%'`,
    );
  }
  const wording = params.get("wording") ?? params.get("search");
  if (wording !== null) add("instr(lower(json_extract(r.doc, '$.label')), lower(?)) > 0", wording);
  for (const [name, operator] of [["min_value", ">="], ["max_value", "<="]] as const) {
    const text = params.get(name);
    if (text !== null) {
      add(`CAST(json_extract(r.doc, '$.value') AS REAL) ${operator} ?`, Number(text));
    }
  }
  const cursor = params.get("cursor");
  if (cursor !== null) {
    const position = decodeCursor(cursor);
    if (position === null) return errorResponse(400, "invalidValue", "cursor is not valid.");
    add("(r.date < ? OR (r.date = ? AND r.id > ?))", position.date, position.date, position.id);
  }
  return { where, values };
}

function list(c: SandboxContext, { store, env }: Services, accounts: readonly number[]): Response {
  const url = new URL(c.req.url);
  const limit = parseLimit(url.searchParams.get("limit"));
  if (!limit.ok) {
    return errorResponse(
      400,
      limit.code,
      limit.code === "missingParameter"
        ? "limit is required."
        : "limit must be between 1 and 1000.",
    );
  }
  if (accounts.length === 0) {
    return errorResponse(
      Number(store.setting("no_account_status") ?? 400),
      "noAccount",
      "At least one bank account is required.",
    );
  }
  const filter = filterOf(url.searchParams);
  if (filter instanceof Response) return filter;
  const offset = url.searchParams.has("cursor")
    ? 0
    : Math.max(0, Math.trunc(Number(url.searchParams.get("offset") ?? 0)) || 0);
  const inAccounts = "r.id_account IN (SELECT value FROM json_each(?))";
  const rows = store.all<RowRecord>(
    `SELECT r.* FROM rows r WHERE ${
      [inAccounts, ...filter.where].join(" AND ")
    } ORDER BY r.date DESC, r.id LIMIT ? OFFSET ?`,
    JSON.stringify(accounts),
    ...filter.values,
    limit.limit + 1,
    offset,
  );
  const page = rows.slice(0, limit.limit);
  const last = page.at(-1);
  const span = store.first<{ first: string | null; last: string | null }>(
    `SELECT min(r.date) AS first, max(r.date) AS last FROM rows r WHERE ${inAccounts} AND r.deleted IS NULL`,
    JSON.stringify(accounts),
  );
  return jsonResponse({
    transactions: page.map((row) => transactionBody(row)),
    first_date: span?.first ?? null,
    last_date: span?.last ?? null,
    result_min_date: last?.date ?? null,
    result_max_date: page[0]?.date ?? null,
    _links: pageLinks(
      url,
      env.PUBLIC_URL,
      rows.length > page.length && last !== undefined
        ? { date: docOf(last).date, id: last.id }
        : null,
    ),
  });
}

function enabledAccounts(store: Store, idUser: number, idConnection: number | null): number[] {
  return store.all<{ id: number }>(
    `SELECT a.id FROM accounts a JOIN connections c ON c.id = a.id_connection
     WHERE c.id_user = ?1 AND c.deleted_ms IS NULL AND a.disabled IS NULL AND (?2 IS NULL OR c.id = ?2)`,
    idUser,
    idConnection,
  ).map(({ id }) => id);
}

/** Mounts the lists of transactions and the single transaction. */
export function mountTransactions(app: SandboxApp, services: Services): void {
  const { store } = services;
  const one = (c: SandboxContext): Response => {
    const row = store.row(Number(c.req.param("transaction")));
    const visible = row !== undefined &&
      enabledAccounts(store, c.var.idUser, null).includes(row.id_account);
    const all = hasFlag(new URL(c.req.url).searchParams, "all");
    return !visible || (row.deleted !== null && !all)
      ? notFound()
      : jsonResponse(transactionBody(row));
  };
  const ofAccount = (c: SandboxContext): Response => {
    const id = Number(c.req.param("account"));
    return enabledAccounts(store, c.var.idUser, null).includes(id)
      ? list(c, services, [id])
      : notFound();
  };
  app.use("/2.0/users/:user/transactions/*", requireToken(services));
  app.use("/2.0/users/:user/transactions", requireToken(services));
  app.get(
    "/2.0/users/:user/transactions",
    (c) => list(c, services, enabledAccounts(store, c.var.idUser, null)),
  );
  app.get("/2.0/users/:user/transactions/:transaction", one);
  app.get("/2.0/users/:user/accounts/:account/transactions", ofAccount);
  app.get("/2.0/users/:user/accounts/:account/transactions/:transaction", one);
  app.get("/2.0/users/:user/connections/:connection/transactions", (c) => {
    const connection = store.connection(Number(c.req.param("connection")));
    return connection?.id_user === c.var.idUser
      ? list(c, services, enabledAccounts(store, c.var.idUser, connection.id))
      : notFound();
  });
  app.get("/2.0/users/:user/connections/:connection/accounts/:account/transactions", ofAccount);
}
