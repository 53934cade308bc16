// One user who repeats what leaves something lasting, until the quota refuses it.
import { consentingUser } from "./world.ts";
import type { Report, World } from "./world.ts";

export async function quotas(world: World): Promise<Report> {
  const findings: string[] = [];
  const { token } = await consentingUser(world);
  let tried = 0;
  const until429 = async (
    name: string,
    most: number,
    once: (i: number) => Promise<{ status: number }>,
  ) => {
    for (let i = 0; i < most; i++) {
      tried += 1;
      if ((await once(i)).status === 429) return;
    }
    findings.push(`${name}: ${most} and none refused`);
  };
  await until429("trips to a bank's page", 60, () =>
    world.send("POST", "/v1/bank-connections", {
      token,
      body: { redirect_uri: world.redirectUri },
    }));
  await until429("consent decisions", 40, (i) =>
    world.send("PUT", "/v1/me/consents/marketing", {
      token,
      body: { granted: i % 2 === 0, text_version: "1" },
    }));
  const withdrawn = await world.send("PUT", "/v1/me/consents/terms", {
    token,
    body: { granted: false, text_version: "1" },
  });
  if (withdrawn.status !== 200) findings.push(`a withdrawal was refused: ${withdrawn.status}`);
  return { name: "quotas", tried, findings };
}
