// The pages must stay true: what they link, name and list exists, and what operators need is
// listed.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { describe, it } from "vitest";
import { configNames } from "../../../src/config.ts";

const README_LINES_MAX = 150;
const ROOT_PAGES = ["README.md", "SECURITY.md", "CHANGELOG.md"];

async function filesUnder(folder: string, extension: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile() && entry.name.endsWith(extension)).map((entry) =>
    join(entry.parentPath, entry.name)
  );
}

async function pages(): Promise<Map<string, string>> {
  const paths = [
    ...ROOT_PAGES,
    ...await filesUnder("src", ".md"),
    ...await filesUnder("test", ".md"),
  ];
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path, await readFile(path, "utf8")] as const),
    ),
  );
}

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, "");

/** The anchor that a code host gives to a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-");
}

function anchorsOf(text: string): Set<string> {
  return new Set(
    [...withoutCode(text).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => anchorOf(title)),
  );
}

type Link = { readonly path: string; readonly anchor: string | null };

/** The links of a page that lead to files of the repository. */
function localLinks(page: string, text: string): Link[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target)).map((target) => {
      const [file = "", anchor = null] = target.split("#");
      return { path: file === "" ? page : normalize(join(dirname(page), file)), anchor };
    });
}

function brokenLinks(all: ReadonlyMap<string, string>): string[] {
  return [...all].flatMap(([page, text]) =>
    localLinks(page, text).filter(({ path, anchor }) =>
      !existsSync(path) || (anchor !== null && !anchorsOf(all.get(path) ?? "").has(anchor))
    ).map(({ path, anchor }) => `${page} -> ${path}${anchor === null ? "" : `#${anchor}`}`)
  );
}

function unreachablePages(all: ReadonlyMap<string, string>): string[] {
  const reached = new Set(["README.md"]);
  // A set that grows while it is walked: each page that is found is walked too.
  for (const page of reached) {
    for (const { path } of localLinks(page, all.get(page) ?? "")) {
      if (all.has(path)) reached.add(path);
    }
  }
  return [...all.keys()].filter((page) => !reached.has(page));
}

describe("the pages", () => {
  it("link only to files and headings that exist", async ({ expect }) => {
    expect(brokenLinks(await pages())).toEqual([]);
  });

  it("notice a link to a file or a heading that does not exist", ({ expect }) => {
    const planted = new Map([[
      "README.md",
      "# Here\n[a](absent.md) [b](#there) [c](#here) [d](https://example.org/x)\n",
    ]]);
    expect(brokenLinks(planted)).toEqual([
      "README.md -> absent.md",
      "README.md -> README.md#there",
    ]);
  });

  it("are all reached from the README by links", async ({ expect }) => {
    expect(unreachablePages(await pages())).toEqual([]);
  });

  it("notice a page that nothing links to", ({ expect }) => {
    const planted = new Map([["README.md", "[a](src/a.md)"], ["src/a.md", ""], ["src/b.md", ""]]);
    expect(unreachablePages(planted)).toEqual(["src/b.md"]);
  });

  it("name only files and folders that exist", async ({ expect }) => {
    const missing = [...await pages()].flatMap(([page, text]) =>
      [...text.matchAll(/`((?:src|test|migrations)\/[\w./-]*\w\/?)`/g)].map(([, path = ""]) => path)
        .filter((path) => !existsSync(path)).map((path) => `${page}: ${path}`)
    );
    expect(missing).toEqual([]);
  });

  it("name only commands that package.json has", async ({ expect }) => {
    const { scripts } = JSON.parse(await readFile("package.json", "utf8")) as {
      scripts: Record<string, string>;
    };
    const missing = [...await pages()].flatMap(([page, text]) =>
      [...text.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g)].map(([, name = ""]) => name)
        .filter((name) => !(name in scripts)).map((name) => `${page}: npm run ${name}`)
    );
    expect(missing).toEqual([]);
  });
});

describe("the README", () => {
  it("stays short enough to read in two minutes", async ({ expect }) => {
    expect((await readFile("README.md", "utf8")).split("\n").length)
      .toBeLessThanOrEqual(README_LINES_MAX);
  });

  it("walks through routes that the API has", async ({ expect }) => {
    const readme = await readFile("README.md", "utf8");
    const { paths } = JSON.parse(await readFile("test/fixtures/openapi.json", "utf8")) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const walk = readme.split("<!-- walk:start -->")[1]?.split("<!-- walk:end -->")[0] ?? "";
    const calls = [
      ...[...walk.matchAll(/call ([A-Z]+) (\/v1\/\S+)/g)].map(([, method = "", path = ""]) => ({
        method: method.toLowerCase(),
        path: path.replace("$c", "{purpose}"),
      })),
      ...[...walk.matchAll(/\$API(\/v1\/[^"?]+)/g)].map(([, path = ""]) => ({
        method: "get",
        path,
      })),
    ];
    expect(calls.length).toBeGreaterThanOrEqual(8);
    expect(calls.filter(({ method, path }) => paths[path]?.[method] === undefined)).toEqual([]);
  });
});

describe("the map of the source", () => {
  it("names every folder of src", async ({ expect }) => {
    const map = await readFile("src/README.md", "utf8");
    const folders = (await readdir("src", { withFileTypes: true })).filter((entry) =>
      entry.isDirectory()
    ).map(({ name }) => name);
    expect(folders.filter((name) => !map.includes(`\`${name}/\``))).toEqual([]);
  });
});

describe("the page of the local system", () => {
  it("shows every step of the story in its order", async ({ expect }) => {
    const page = await readFile("src/local/README.md", "utf8");
    const source = await readFile("src/local/story.ts", "utf8");
    const titles = [...source.matchAll(/\btitle: "([^"]+)"/g)].map(([, title = ""]) => title);
    expect(titles.length).toBeGreaterThan(5);
    expect([...page.matchAll(/^ +\d+\. (.+)$/gm)].map(([, title = ""]) => title)).toEqual(titles);
  });
});

describe("the pages for operators", () => {
  it("explain every setting", async ({ expect }) => {
    const page = await readFile("src/operations/README.md", "utf8");
    const table = page.split("\n## Configuration")[1]?.split("\n## ")[0] ?? "";
    expect(configNames().filter((name) => !table.includes(`\`${name}\``))).toEqual([]);
  });

  it("let Deno read every setting, and nothing without a list, in the systemd unit and the container", async ({ expect }) => {
    const page = await readFile("src/platform/deno/README.md", "utf8");
    const lists = [...page.matchAll(/--allow-env=([A-Z_,]+)/g)].map(([, list = ""]) => list);
    expect(lists).toHaveLength(2);
    for (const list of lists) {
      expect(configNames().filter((name) => !list.split(",").includes(name))).toEqual([]);
    }
    expect(page.match(/--allow-[a-z]+(?!=)(?=[" \\])/g)).toBeNull();
  });

  it("build the container from images by digest", async ({ expect }) => {
    const page = await readFile("src/platform/deno/README.md", "utf8");
    const images = [...page.matchAll(/^FROM (\S+)/gm)].map(([, image = ""]) => image);
    expect(images.length).toBeGreaterThan(0);
    // An argument without a default: the build fails until it is given.
    for (const image of images) {
      expect(image).toMatch(/@sha256:[0-9a-f]{64}$|^\$\{[A-Z]+_IMAGE\}$/);
    }
  });

  it("say what to do for every alert", async ({ expect }) => {
    const page = await readFile("src/operations/README.md", "utf8");
    const table = page.split("## Alerts")[1]?.split("\n## ")[0] ?? "";
    const sources = await Promise.all(
      (await filesUnder("src", ".ts")).map((path) => readFile(path, "utf8")),
    );
    // The code is the first argument, in one case chosen between two.
    const codes = sources.flatMap((text) => [...text.matchAll(/\.alert\(([^,]+),/g)]).flatMap((
      [, first = ""],
    ) => [...first.matchAll(/"([a-z_]+)"/g)].map(([, code = ""]) => code));
    expect(codes.length).toBeGreaterThan(20);
    expect([...new Set(codes)].filter((code) => !table.includes(`\`${code}\``))).toEqual([]);
  });
});
