// The pages of /docs from a folder. Serves what it listed at the start and nothing else, so no path
// can lead out of it.
import { readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";

const TYPES: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".svg", "image/svg+xml"],
  [".json", "application/json"],
]);

/**
 * Serves a folder; an absent folder is an empty one. `/docs` and `/docs/` give `/docs/index.html`.
 */
export function folderAssets(folder: string): (request: Request) => Promise<Response> {
  const files = new Map<string, string>();
  for (const entry of listed(folder)) {
    files.set(`/${entry.split(sep).join("/")}`, join(folder, entry));
  }
  return async (request) => {
    const path = new URL(request.url).pathname.replace(/\/$/, "");
    const file = files.get(path) ?? files.get(`${path}/index.html`);
    if (file === undefined) return new Response(null, { status: 404 });
    return new Response(readFileSync(file), {
      headers: {
        "Content-Type": TYPES.get(extname(file)) ?? "application/octet-stream",
        "Cache-Control": "public, max-age=300",
      },
    });
  };
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile()
    ).map((entry) => join(entry.parentPath, entry.name).slice(folder.length).replace(/^[/\\]/, ""));
  } catch {
    return [];
  }
}
