// Seeds a running local system over HTTP, with the tokens of two operators.
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { openLocalClock } from "./data-folder.ts";
import { operatorToken } from "./operator-token.ts";
import type { LocalSecrets } from "./settings.ts";
import { seedCatalogue } from "./seed-catalogue.ts";
import type { SeedBrand, SeedCaller } from "./seed-catalogue.ts";

type SeedTarget = {
  readonly edgeUrl: string;
  readonly sandboxUrl: string;
  readonly secrets: LocalSecrets;
  readonly dataDir: string;
};

/**
 * Enters the French brands of the fixture and the demo offers, where they are missing. Safe to
 * repeat. Returns a line to print.
 */
export async function seed(target: SeedTarget): Promise<string> {
  const brands = JSON.parse(
    await readFile(new URL("./data/brands.json", import.meta.url), "utf8"),
  ) as SeedBrand[];
  const { nowMs } = await openLocalClock(target.dataDir);
  const tokenOf = (subject: string): Promise<string> =>
    operatorToken({
      secrets: target.secrets,
      issuer: target.sandboxUrl,
      role: "catalogue",
      subject,
      nowMs: nowMs(),
    });
  const tokens = { first: await tokenOf("alice"), second: await tokenOf("bob") };
  const call: SeedCaller = async (method, path, { as, lines }) => {
    const response = await fetch(`${target.edgeUrl}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${tokens[as]}`,
        ...(method === "POST" ? { "Idempotency-Key": randomUUID() } : {}),
        ...(lines === undefined ? {} : { "Content-Type": "application/x-ndjson" }),
      },
      ...(lines === undefined ? {} : { body: lines }),
    });
    return { status: response.status, body: await response.json() };
  };
  const { brands: brandCount, offers } = await seedCatalogue(call, brands);
  return `${brandCount} brands, ${offers} offers`;
}
