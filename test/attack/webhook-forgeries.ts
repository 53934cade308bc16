// Deliveries that the aggregator never signed.
import { createHmac } from "node:crypto";
import type { Report, World } from "./world.ts";

const EVENT = "connection-synced";
const PATH = `/webhooks/powens/${EVENT}`;
const DATE = "2026-11-20T11:59:59.123456Z";
const BODY = JSON.stringify({ user: { id: 999_999 }, connection: { id: 1, accounts: [] } });

type Signed = { path?: string; date?: string; body?: string; secret: string };

function sign({ path = PATH, date = DATE, body = BODY, secret }: Signed): string {
  return createHmac("sha256", secret).update(`POST.${path}.${date}.`).update(body).digest("base64");
}

export async function webhookForgeries(world: World): Promise<Report> {
  const { webhookSecret: secret } = world;
  const good = sign({ secret });
  const headers = (signature: string, date = DATE) => ({
    "BI-Signature": signature,
    "BI-Signature-Date": date,
  });
  const hex = Buffer.from(good, "base64").toString("hex");
  const flipped = Buffer.from(good, "base64");
  flipped[31] = (flipped[31] ?? 0) ^ 1;
  const forgeries: Record<string, Record<string, string>> = {
    "no headers": {},
    "no date": { "BI-Signature": good },
    "no signature": { "BI-Signature-Date": DATE },
    "empty signature": headers(""),
    "another secret": headers(sign({ secret: "secret" })),
    "an empty secret": headers(sign({ secret: "" })),
    "the client's id as secret": headers(sign({ secret: "12345678" })),
    "half the secret": headers(sign({ secret: secret.slice(0, 16) })),
    "both secrets as one": headers(sign({ secret: `${secret},${secret}` })),
    "another path": headers(sign({ secret, path: "/webhooks/powens/user-deleted" })),
    "a path with a slash more": headers(sign({ secret, path: `${PATH}/` })),
    "a whole address": headers(sign({ secret, path: `http://edge${PATH}` })),
    "another body": headers(sign({ secret, body: `${BODY} ` })),
    "no body": headers(sign({ secret, body: "" })),
    "another date": headers(good, "2026-11-20T11:59:59.123457Z"),
    "an empty date": headers(sign({ secret, date: "" }), ""),
    "one bit": headers(flipped.toString("base64")),
    "hexadecimal": headers(hex),
    "truncated": headers(good.slice(0, 40)),
    "padded": headers(`${good}AAAA`),
    "zeros": headers(Buffer.alloc(32).toString("base64")),
    "twice": headers(`${good}, ${good}`),
    "in Authorization": { Authorization: `Bearer ${good}` },
    "sha1": headers(createHmac("sha1", secret).update(BODY).digest("base64")),
  };
  const findings: string[] = [];
  let tried = 0;
  for (const [name, each] of Object.entries(forgeries)) {
    tried += 1;
    // Each from another network: one that fails often waits.
    const got = await world.send("POST", PATH, {
      raw: BODY,
      headers: each,
      from: `198.51.100.${tried}`,
    });
    if (got.status !== 401 && got.status !== 429) findings.push(`${name}: answered ${got.status}`);
  }
  const control = await world.send("POST", PATH, {
    raw: BODY,
    headers: headers(good),
    from: "203.0.113.1",
  });
  if (control.status !== 200 && control.status !== 429) {
    findings.push(`a good signature answered ${control.status}`);
  }
  return { name: "webhook forgeries", tried, findings };
}
