// The operator's real terminal: wrangler.toml beside us, wrangler as a child process that may ask
// questions.
import { spawn } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import type { OperatorTerminal } from "./cloudflare.ts";

const CONFIG = "wrangler.toml";

function runWrangler(args: readonly string[]): Promise<{ code: number; output: string }> {
  // What is read must be captured; whatever else wrangler says goes straight to the person, who can
  // answer it.
  const captured = args.includes("--json");
  return new Promise((done) => {
    const child = spawn(process.execPath, ["node_modules/wrangler/bin/wrangler.js", ...args], {
      stdio: ["inherit", captured ? "pipe" : "inherit", "inherit"],
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", () => done({ code: 1, output: "" }));
    child.on(
      "close",
      (code) => done({ code: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }),
    );
  });
}

export function operatorTerminal(): OperatorTerminal {
  return {
    readConfig: () => readFile(CONFIG, "utf8"),
    writeConfig: async (toml) => {
      await writeFile(`${CONFIG}.new`, toml);
      await rename(`${CONFIG}.new`, CONFIG);
    },
    wrangler: runWrangler,
    print: (line) => console.log(line),
  };
}
