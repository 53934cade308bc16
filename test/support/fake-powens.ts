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
    calls: [] as string[],
    /** What each reading of rows asked for. */
    reads: [] as { changedAfter: string | null; minDate: string | null }[],
    /** Answers before anything else when it gives one. */
    intercept: (_method: string, _path: string): Response | null => null,
    nextUser: 7,
    pageSize: 1000,
  };

  function userOf(headers: Headers) {
    const token = (headers.get("Authorization") ?? "").replace("Bearer ", "");
    return [...state.users.values()].find((user) => user.token === token) ?? null;
  }

  async function handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname.replace("/2.0/", "");
    state.calls.push(`${request.method} ${path}`);
    const stopped = state.intercept(request.method, path);
    if (stopped !== null) return stopped;
    if (path === "auth/init") {
      const id = state.nextUser++;
      const token = `permanent-token-of-${id}-PLANTEDTOKEN`;
      state.users.set(id, { token, connections: new Map(), accounts: new Map(), rows: [] });
      return json({ auth_token: token, type: "permanent", id_user: id, expires_in: null });
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
    if (path === "auth/token/code") {
      return json({ code: "one-time-code", type: "temporary", access: "single", expires_in: 1800 });
    }
    if (path === "users/me" && request.method === "DELETE") {
      for (const [id, candidate] of state.users) if (candidate === user) state.users.delete(id);
      return new Response(null, { status: 204 });
    }
    if (path === "users/me") return json({ id: 1 });
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
      const changedAfter = url.searchParams.get("last_update");
      state.reads.push({ changedAfter, minDate: url.searchParams.get("min_date") });
      const rows = user.rows.filter((row) =>
        changedAfter === null || String(row["last_update"]) > changedAfter
      );
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
    fetch: (input: string, init: RequestInit): Promise<Response> =>
      handle(new Request(input, init)),
  };
}
