// Forty anonymous deliveries of the largest size at once, and what the edge's process takes for them.
import { readdir, readFile } from "node:fs/promises";
import type { Report, World } from "./world.ts";

const POSTS = 40;
const BODY_BYTES = 16 * 1024 * 1024;
const ABOVE_IDLE_MAX_MIB = 150;

type Process = {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly mib: number;
};

async function processes(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
    return {
      pid: Number(pid),
      parent: Number(field("PPid")),
      name: field("Name"),
      mib: Number(field("VmRSS")) / 1024,
    };
  }));
  return found.filter(({ mib }) => mib > 0);
}

/** What the runtimes that this process started take together. */
async function edgeMib(): Promise<number> {
  const all = await processes();
  const ours = new Set([process.pid]);
  for (let grown = true; grown;) {
    grown = false;
    for (const each of all) {
      if (ours.has(each.parent) && !ours.has(each.pid)) grown = ours.add(each.pid).size > 0;
    }
  }
  return all.filter(({ pid, name }) => ours.has(pid) && /workerd|deno/.test(name))
    .reduce((sum, { mib }) => sum + mib, 0);
}

export async function memory(world: World): Promise<Report> {
  const idle = await edgeMib();
  let peak = idle;
  const sample = async (): Promise<void> => {
    peak = Math.max(peak, await edgeMib());
  };
  const sampling = setInterval(() => void sample(), 20);
  const raw = new Uint8Array(BODY_BYTES).fill(0x20);
  const headers = {
    "BI-Signature": Buffer.alloc(32).toString("base64"),
    "BI-Signature-Date": "2026-11-20T11:59:59.123456Z",
  };
  const statuses = await Promise.all(Array.from({ length: POSTS }, async () => {
    try {
      return (await world.send("POST", "/webhooks/powens/connection-synced", { raw, headers }))
        .status;
    } catch {
      // The edge may close the connection of a body that it does not take.
      return 0;
    }
  }));
  clearInterval(sampling);
  const above = Math.round(peak - idle);
  const accepted = statuses.filter((status) => status === 200).length;
  const alive = await world.send("GET", "/healthz");
  return {
    name: "memory",
    tried: POSTS,
    findings: [
      ...idle === 0 ? ["the edge's process is not found"] : [],
      ...above < ABOVE_IDLE_MAX_MIB ? [] : [`${above} MiB above idle`],
      ...accepted === 0 ? [] : [`${accepted} were accepted`],
      ...alive.status === 200 ? [] : [`afterwards it answers ${alive.status}`],
    ],
    notes: { idle_mib: Math.round(idle), peak_mib: Math.round(peak), above_idle_mib: above },
  };
}
