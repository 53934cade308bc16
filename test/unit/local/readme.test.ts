// The contract says that the sandbox's README says which controls there are. This test fails when
// a route is added without it.
import { readdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const folder = resolve(import.meta.dirname, "../../../src/local/sandbox");

it("names every control route", async () => {
  const readme = await readFile(resolve(folder, "README.md"), "utf8");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".ts"));
  const sources = await Promise.all(files.map((name) => readFile(resolve(folder, name), "utf8")));
  const routes = sources.flatMap((source) =>
    [...source.matchAll(/app\.(?:get|post|delete|put)\(["`](\/[^"`]*)["`]/gu)].map((match) =>
      match[1] ?? ""
    )
  )
    .filter((route) =>
      !route.startsWith("/2.0/") && !route.startsWith("/webview/") && route !== "/"
    );
  expect(routes.length).toBeGreaterThan(20);
  // `/rows/:row/book` is written `/rows/{id}/book`, or with an example's number.
  const missing = routes.filter((route) => {
    const pattern = route.split("/").map((
      part,
    ) => (part.startsWith(":")
      ? String.raw`(?:\{id\}|\d+|newest)`
      : part.startsWith("${")
      ? String.raw`\w+`
      : part.replaceAll(".", String.raw`\.`))
    ).join("/");
    return !new RegExp(pattern, "u").test(readme);
  });
  expect(missing).toEqual([]);
});
