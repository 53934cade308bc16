// Every operation with every kind of caller: nobody, a user, another user, each role.
import { keyOf, operationsOf } from "./document.ts";
import type { Operation } from "./document.ts";
import { EXPECTATIONS } from "./expectations.ts";
import type { Allowed } from "./expectations.ts";
import { newUser } from "./world.ts";
import type { Got, Report, World } from "./world.ts";

const ROLES = ["catalogue", "support", "finance", "auditor", "owner"];
/** Refusals of the caller, which no allowed caller gets here. */
const REFUSED = new Set(["token_missing", "token_invalid", "token_expired", "forbidden"]);

type Caller = {
  readonly kind: "nobody" | "user" | "role";
  readonly role: string;
  readonly token?: string;
};

type Expected = 401 | 403 | "through" | "step_up_required";

/** No caller here has stepped up. */
function expected(allowed: Allowed, { kind, role }: Caller): Expected {
  if (allowed === "public") return "through";
  if (allowed === "optional") return kind === "role" ? 401 : "through";
  if (allowed === "user") return kind === "user" ? "through" : 401;
  if (allowed === "step_up") return kind === "user" ? "step_up_required" : 401;
  if (kind !== "role") return 401;
  return allowed.includes(role) ? "through" : 403;
}

function problemOf(wanted: Expected, got: Got): string | null {
  if (got.status >= 500 && got.status !== 503) return `answered ${got.status}`;
  if (wanted === "step_up_required") {
    return got.json["code"] === wanted ? null : `answered ${got.status} without a step-up`;
  }
  if (wanted === "through") {
    return REFUSED.has(String(got.json["code"]))
      ? `was refused with ${String(got.json["code"])}`
      : null;
  }
  return got.status === wanted ? null : `answered ${got.status} instead of ${wanted}`;
}

const filled = (path: string): string =>
  path.replace("{purpose}", "marketing").replace("{event}", "connection-synced")
    .replaceAll(/\{[a-z_]+\}/g, "0");

/** The authorisation matrix, and what belongs to somebody else. */
export async function matrix(world: World): Promise<Report> {
  const findings: string[] = [];
  const { operations } = await operationsOf(world);
  const known = new Set(operations.map(keyOf));
  for (const key of known) {
    if (EXPECTATIONS[key] === undefined) findings.push(`${key} has no expectation`);
  }
  for (const key of Object.keys(EXPECTATIONS)) {
    if (!known.has(key)) findings.push(`${key} is expected and not in the document`);
  }
  const user = await newUser(world);
  const callers: Caller[] = [
    { kind: "nobody", role: "" },
    { kind: "user", role: "user", token: user.token },
    ...await Promise.all(
      ROLES.map(async (role): Promise<Caller> => ({
        kind: "role",
        role,
        token: await world.operator(role),
      })),
    ),
  ];
  let tried = 0;
  for (const operation of operations) {
    const allowed = EXPECTATIONS[keyOf(operation)];
    if (allowed === undefined) continue;
    for (const caller of callers) {
      tried += 1;
      const got = await callAs(world, operation, caller);
      const problem = problemOf(expected(allowed, caller), got);
      const who = caller.kind === "role" ? caller.role : caller.kind;
      if (problem !== null) findings.push(`${keyOf(operation)} as ${who} ${problem}`);
    }
  }
  const strangers = await othersSessions(world);
  return {
    name: "authorisation matrix",
    tried: tried + strangers.tried,
    findings: [...findings, ...strangers.findings],
  };
}

function callAs(world: World, { method, path }: Operation, { token }: Caller): Promise<Got> {
  const writes = method !== "GET" && method !== "DELETE";
  return world.send(method, filled(path), {
    ...(token === undefined ? {} : { token }),
    // Nothing that would be carried out.
    ...(writes ? { body: { attack: true } } : {}),
  });
}

/** A session of somebody else is not found, and stays. */
async function othersSessions(world: World): Promise<{ tried: number; findings: string[] }> {
  const [victim, attacker] = [await newUser(world), await newUser(world)];
  const list = await world.send("GET", "/v1/auth/sessions", { token: victim.token });
  const [session] = list.json["data"] as { id: string }[];
  const path = `/v1/auth/sessions/${session?.id ?? ""}`;
  const ended = await world.send("DELETE", path, { token: attacker.token });
  const after = await world.send("PATCH", "/v1/me", {
    token: victim.token,
    body: { locale: "en" },
  });
  return {
    tried: 2,
    findings: [
      ...ended.status === 404 ? [] : [`${path} of somebody else answered ${ended.status}`],
      ...after.status === 200 ? [] : ["a session was ended by somebody else"],
    ],
  };
}
