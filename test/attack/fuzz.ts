// Requests made from the schemas of the document and spoilt: no answer may be a defect, leave the
// document, or tell what is inside.
import { keyOf, operationsOf } from "./document.ts";
import type { Operation, Schema } from "./document.ts";
import { consentingUser } from "./world.ts";
import type { Got, Report, Sent, World } from "./world.ts";

/** Numbers that a seed repeats (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const TEXTS = [
  "",
  " ",
  "0",
  "a",
  "é",
  "\u0000",
  "\ud800",
  "𝒳",
  "‮",
  "'",
  "' OR 1=1 --",
  "%00",
  "../../x",
  "${7*7}",
  "{{7*7}}",
  "<script>",
  "null",
  "2026-02-31",
  "2026-11-20T25:61:61Z",
  "x".repeat(300),
  "x".repeat(9000),
  "__proto__",
  "constructor",
  "usr_0197d000-0000-7000-8000-0000000000aa",
  "a@b.example",
  "http://[::1",
  "1e999",
];
const NUMBERS = [0, -1, 1, 0.1, 1e308, -1e308, 2 ** 31, 2 ** 53, 2 ** 53 + 2, -0];
// What may never be in an answer: a stack, SQL, a path of the machine, another's library.
const LEAKS =
  /\bat [^\s]+ \(|SQLITE_|SELECT .* FROM|no such (?:table|column)|node_modules|\.ts:\d+|ZodError|Drizzle/;
const PATH_TEXTS = [
  "0",
  "x",
  "%00",
  "%2e%2e",
  "con_0197d000-0000-7000-8000-0000000000aa",
  "%F0%9F%92%A9",
  "a".repeat(400),
];

type Dice = { readonly next: () => number; readonly pick: <T>(from: readonly T[]) => T };

function diceOf(next: () => number): Dice {
  return {
    next,
    pick: (from) => {
      const picked = from[Math.floor(next() * from.length)];
      if (picked === undefined) throw new Error("nothing to pick from");
      return picked;
    },
  };
}

function anything({ next, pick }: Dice, depth = 0): unknown {
  const kind = next();
  if (kind < 0.35) return pick(TEXTS);
  if (kind < 0.6) return pick(NUMBERS);
  if (kind < 0.75) return pick([null, true, false]);
  if (depth > 4) return [];
  if (kind < 0.87) {
    return Array.from(
      { length: Math.floor(next() * 4) },
      () => anything({ next, pick }, depth + 1),
    );
  }
  return Object.fromEntries([[pick(TEXTS), anything({ next, pick }, depth + 1)]]);
}

/** A value of the schema, spoilt here and there. */
function valueOf(
  schema: Schema,
  dice: Dice,
  resolve: (schema: Schema) => Schema,
  depth = 0,
): unknown {
  const { next, pick } = dice;
  if (next() < 0.08 || depth > 6) return anything(dice, depth);
  const own = resolve(schema);
  if (own.enum !== undefined) return pick(own.enum);
  if (own.anyOf !== undefined) return valueOf(pick(own.anyOf), dice, resolve, depth + 1);
  const type = typeof own.type === "string" ? own.type : pick(own.type ?? ["string"]);
  switch (type) {
    case "object": {
      const entries = Object.entries(own.properties ?? {}).filter(() => next() > 0.15);
      const made = entries.map(([name, each]) => [name, valueOf(each, dice, resolve, depth + 1)]);
      return Object.fromEntries(next() < 0.1 ? [...made, [pick(TEXTS), 1]] : made);
    }
    case "array":
      return Array.from(
        { length: Math.floor(next() * 3) },
        () => valueOf(own.items ?? {}, dice, resolve, depth + 1),
      );
    case "integer":
    case "number":
      return pick(NUMBERS);
    case "boolean":
      return next() < 0.5;
    default:
      return pick(TEXTS);
  }
}

function requestOf(
  operation: Operation,
  dice: Dice,
  resolve: (schema: Schema) => Schema,
): { path: string; sent: Sent } {
  const { next, pick } = dice;
  const path = operation.path.replaceAll(/\{[a-z_]+\}/g, () => pick(PATH_TEXTS));
  const query = operation.parameters.filter((each) => each.in === "query" && next() < 0.5)
    .map(({ name }) =>
      `${name}=${
        encodeURIComponent(pick([...TEXTS.filter((text) => text !== "\ud800"), "1", "100"]))
      }`
    );
  const headers: Record<string, string> = {
    "Accept-Language": pick(["fr", "en", "xx;q=9", ",".repeat(500)]),
  };
  if (next() < 0.05) {
    headers["Idempotency-Key"] = pick(["é", "x".repeat(300), "k"]).replace("é", "%");
  }
  if (next() < 0.05) {
    headers["Content-Type"] = pick([
      "text/plain",
      "application/json; charset=x",
      "multipart/form-data",
    ]);
  }
  const writes = operation.method !== "GET" && operation.method !== "DELETE";
  const sent: Sent = !writes
    ? { headers }
    : next() < 0.07
    ? { headers, raw: pick(["{", "[]", "null", "\u0000", '{"a":1,"a":2}', "[".repeat(5000)]) }
    : { headers, body: valueOf(operation.body ?? {}, dice, resolve) };
  return { path: query.length === 0 ? path : `${path}?${query.join("&")}`, sent };
}

function problemsOf(operation: Operation, got: Got): string[] {
  const found: string[] = [];
  const documented = operation.statuses.includes(String(got.status)) ||
    // Answers that every path may give before its route is asked.
    [404, 405, 408, 413, 415, 431].includes(got.status);
  if (got.status >= 500 && got.status !== 503) found.push(`answered ${got.status}`);
  else if (!documented) found.push(`answered ${got.status}, which is not documented`);
  if (got.status >= 400 && typeof got.json["code"] !== "string") {
    found.push(`answered ${got.status} without a code`);
  }
  if (LEAKS.test(got.text)) found.push(`told something of the inside: ${got.text.slice(0, 200)}`);
  if (got.status >= 400 && got.headers.get("X-Request-Id") === null) {
    found.push("has no request id");
  }
  return found;
}

export async function fuzz(world: World, requests: number, seed = 1): Promise<Report> {
  const { operations, resolve } = await operationsOf(world);
  const dice = diceOf(seeded(seed));
  const user = await consentingUser(world);
  const owner = await world.operator("owner");
  const findings = new Map<string, number>();
  // A call that ends the caller's own session would leave the rest refused.
  const own = operations.filter(({ path }) =>
    path !== "/v1/auth/sessions/{id}" && !path.includes("transfer")
  );
  for (let i = 0; i < requests; i++) {
    const operation = dice.pick(own);
    const { path, sent } = requestOf(operation, dice, resolve);
    const token = operation.path.startsWith("/admin") ? owner : user.token;
    const from = `10.0.${i % 250}.${Math.floor(i / 250) % 250}`;
    const got = await world.send(operation.method, path, { token, from, ...sent });
    for (const problem of problemsOf(operation, got)) {
      const key = `${keyOf(operation)} ${problem}`;
      findings.set(key, (findings.get(key) ?? 0) + 1);
    }
  }
  return {
    name: "fuzz from the schemas",
    tried: requests,
    findings: [...findings].map(([key, times]) => `${key} (${times} times, seed ${seed})`),
  };
}
