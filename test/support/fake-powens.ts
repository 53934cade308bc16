// Powens in memory, as far as the client's calls go: what the adapter's requests meet in tests of
// the banking domain. The sandbox is the faithful one; this one can be made to fail at a chosen
// call and counts what it is asked.
export type FakeRow = Record<string, unknown> & { id: number; id_account: number };
export type FakeAccount = Record<string, unknown> & { id: number; id_connection: number };
export type FakeConnection = Record<string, unknown> & { id: number };

export type FakePowens = ReturnType<typeof fakePowens>;

const json = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

export const TEST_BANK = "338178e6-3d01-564f-9a7b-52ca442459bf";

export function fakePowens(origin = "https://acme.biapi.test") {
  const state = {
    users: new Map<
      number,
      {
        token: string;
        connections: Map<number, FakeConnection>;
        accounts: Map<number, FakeAccount>;
        rows: FakeRow[];
      }
    >(),
    /** Single-use codes: those that the page gives, and those made for a renewal. */
    codes: new Map<string, number>(),
    revoked: new Set<string>(),
    calls: [] as string[],
    /** What each reading of rows asked for. */
    reads: [] as { minDate: string | null }[],
    /** Answers before anything else when it gives one. */
    intercept: (_method: string, _path: string): Response | null => null,
    nextUser: 7,
    pageSize: 1000,
  };

  function userOf(headers: Headers) {
    const token = (headers.get("Authorization") ?? "").replace("Bearer ", "");
    if (state.revoked.has(token)) return null;
    // A user may have several tokens, told apart by what follows the first.
    return [...state.users.values()].find((user) => token.startsWith(user.token)) ?? null;
  }
  const idOf = (user: { token: string }): number =>
    [...state.users].find(([, candidate]) => candidate === user)?.[0] ?? -1;

  /** Somebody opens the page without a code of ours and gets through: a user, and its code. */
  function visitPage(): { readonly remoteUserId: number; readonly code: string } {
    const remoteUserId = state.nextUser++;
    const code = `code-of-page-${remoteUserId}`;
    const token = `permanent-token-of-${remoteUserId}-PLANTEDTOKEN`;
    state.users.set(remoteUserId, {
      token,
      connections: new Map(),
      accounts: new Map(),
      rows: [],
    });
    state.codes.set(code, remoteUserId);
    return { remoteUserId, code };
  }

  function tokenFor(id: number | undefined, refusal: string): Response {
    const user = id === undefined ? undefined : state.users.get(id);
    return user === undefined
      ? json({ code: refusal, description: "no" }, refusal === "notFound" ? 404 : 400)
      : json({ access_token: `${user.token}-${++tokens}`, token_type: "Bearer" });
  }
  let tokens = 0;

  async function handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace("/2.0/", "");
    state.calls.push(`${request.method} ${path}`);
    const stopped = state.intercept(request.method, path);
    if (stopped !== null) return stopped;
    if (path === "auth/token/access" || path === "auth/renew") {
      const body: Record<string, unknown> = await request.json();
      if (path === "auth/renew") return tokenFor(Number(body["id_user"]), "notFound");
      const code = String(body["code"]);
      const id = state.codes.get(code);
      state.codes.delete(code);
      return tokenFor(id, "invalidValue");
    }
    if (path === "connectors") {
      return json({
        connectors: [{
          id: 59,
          uuid: TEST_BANK,
          name: "Connecteur de test",
          color: "f10389",
          capabilities: ["bank"],
          hidden: false,
        }, {
          id: 60,
          uuid: "07d76adf-ae35-5b38-aca8-67aafba13169",
          name: "Crédit Éxemple",
          capabilities: ["bank"],
          hidden: false,
        }, { id: 61, uuid: "17d76adf-ae35-5b38-aca8-67aafba13169", name: "Hidden", hidden: true }],
      });
    }
    const user = userOf(request.headers);
    if (user === null) return json({ code: "unauthorized", description: "no" }, 401);
    if (path === "auth/token" && request.method === "DELETE") {
      state.revoked.add((request.headers.get("Authorization") ?? "").replace("Bearer ", ""));
      return new Response(null, { status: 204 });
    }
    if (path === "auth/token/code") {
      state.codes.set("one-time-code", idOf(user));
      return json({ code: "one-time-code", type: "temporary", access: "single", expires_in: 1800 });
    }
    if (path === "users/me" && request.method === "DELETE") {
      for (const [id, candidate] of state.users) if (candidate === user) state.users.delete(id);
      return new Response(null, { status: 204 });
    }
    if (path === "users/me") return json({ id: idOf(user) });
    if (path === "users/me/connections") {
      return json({ connections: [...user.connections.values()] });
    }
    if (path === "users/me/accounts") {
      return user.accounts.size === 0
        ? json({ code: "noAccount", description: "x" }, 400)
        : json({ accounts: [...user.accounts.values()] });
    }
    if (path === "users/me/transactions") {
      const offset = Number(url.searchParams.get("cursor") ?? "0");
      state.reads.push({ minDate: url.searchParams.get("min_date") });
      const { rows } = user;
      const page = rows.slice(offset, offset + state.pageSize);
      const more = offset + state.pageSize < rows.length;
      url.searchParams.set("cursor", String(offset + state.pageSize));
      return json({
        transactions: page,
        _links: { prev: null, next: more ? { href: url.href } : null },
      });
    }
    const deleted = /^users\/me\/connections\/(\d+)$/.exec(path);
    if (deleted !== null && request.method === "DELETE") {
      const id = Number(deleted[1]);
      if (!user.connections.delete(id)) return json({ code: "notFound", description: "x" }, 404);
      for (const account of user.accounts.values()) {
        if (account.id_connection === id) user.accounts.delete(account.id);
      }
      return new Response(null, { status: 204 });
    }
    return json({ code: "notFound", description: "x" }, 404);
  }

  return {
    origin,
    state,
    visitPage,
    fetch: (input: string, init: RequestInit): Promise<Response> =>
      handle(new Request(input, init)),
  };
}
