// Reads which file imports what from which, and finds what oxlint cannot say: circles between
// folders, arrows from a lower layer up, exports that nobody uses. Pure: texts in, findings out.
import { dirname, join } from "node:path/posix";

/** What one file takes from another. `names` is undefined when it may use all of them. */
export type Import = { readonly from: string; readonly names: readonly string[] | undefined };

/** One file of the graph, by its path from the root of the repository. */
export type SourceFile = {
  readonly path: string;
  readonly imports: readonly Import[];
  /** Declared here, not passed on from another file. */
  readonly exports: readonly string[];
  /** Passed on from another file; `names` is undefined for `export *`. */
  readonly passedOn: readonly Import[];
};

// The formatter puts every import and export at the start of a line, so no full parser is needed.
const IMPORT_FROM = /^import\s+(?:type\s+)?([^"']*?)\s+from\s+"(\.[^"]+)"/gm;
const IMPORT_EFFECT = /^import\s+"(\.[^"]+)"/gm;
const IMPORT_CALL = /\bimport\(\s*"(\.[^"]+)",?\s*\)(?:\.([A-Z]\w*))?/g;
const EXPORT_FROM = /^export\s+(?:type\s+)?(\*|\*\s+as\s+\w+|\{[^}]*\})\s+from\s+"(\.[^"]+)"/gm;
const EXPORT_LIST = /^export\s+(?:type\s+)?\{([^}]*)\}\s*;/gm;
const EXPORT_DECLARATION =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|const|let|class|type|interface)\s+(\w+)/gm;
const EXPORT_PATTERN = /^export\s+(?:const|let)\s+[{[]([^=]*)[}\]](?::[^=]+)?\s*=/gm;
const EXPORT_DEFAULT = /^export\s+default\b/m;

/** The imports and exports of one file. */
export function readSource(path: string, text: string): SourceFile {
  const target = (relative: string): string => join(dirname(path), relative);
  const imports: Import[] = [];
  const passedOn: Import[] = [];
  const exports: string[] = [];
  for (const [, clause = "", from = ""] of text.matchAll(IMPORT_FROM)) {
    imports.push({ from: target(from), names: importedNames(clause, text) });
  }
  for (const [, from = ""] of text.matchAll(IMPORT_EFFECT)) {
    imports.push({ from: target(from), names: [] });
  }
  for (const [, from = "", name] of text.matchAll(IMPORT_CALL)) {
    imports.push({ from: target(from), names: name === undefined ? undefined : [name] });
  }
  for (const [, clause = "", from = ""] of text.matchAll(EXPORT_FROM)) {
    const names = clause.startsWith("{") ? listed(clause.slice(1, -1), "source") : undefined;
    passedOn.push({ from: target(from), names });
    if (clause.startsWith("{")) exports.push(...listed(clause.slice(1, -1), "result"));
  }
  for (const [, list = ""] of text.matchAll(EXPORT_LIST)) exports.push(...listed(list, "result"));
  for (const [, name = ""] of text.matchAll(EXPORT_DECLARATION)) exports.push(name);
  for (const [, list = ""] of text.matchAll(EXPORT_PATTERN)) exports.push(...boundNames(list));
  if (EXPORT_DEFAULT.test(text)) exports.push("default");
  return { path, imports, exports, passedOn };
}

/** The names in `a, type b as c`: as their file calls them, or as they are called afterwards. */
function listed(list: string, side: "source" | "result"): string[] {
  return list.replaceAll(/\/\/.*$/gm, "").split(",").flatMap((part) => {
    const [source = "", result = source] = part.trim().replace(/^type\s+/, "").split(/\s+as\s+/);
    if (source === "") return [];
    return [side === "source" ? source : result];
  });
}

/** The names that `{ a, b: c, ...d }` or `[a, b]` bind. */
function boundNames(list: string): string[] {
  return list.split(",").flatMap((part) => /(\w+)\s*$/.exec(part.trim())?.[1] ?? []);
}

function importedNames(clause: string, text: string): readonly string[] | undefined {
  const names: string[] = [];
  const braces = /\{([^}]*)\}/.exec(clause)?.[1];
  if (braces !== undefined) names.push(...listed(braces, "source"));
  const space = /\*\s+as\s+(\w+)/.exec(clause)?.[1];
  if (space !== undefined) {
    const mentions = [...text.matchAll(new RegExp(`\\b${space}\\b(?:\\.(\\w+))?`, "g"))].slice(1);
    if (mentions.some(([, name]) => name === undefined)) return undefined;
    names.push(...mentions.flatMap(([, name]) => name ?? []));
  }
  if (/^\w+/.test(clause)) names.push("default");
  return names;
}

/** An arrow between two files, or between two children of a folder with a file arrow as proof. */
type Arrow = { readonly from: string; readonly to: string; readonly because: string };

function fileArrows(files: readonly SourceFile[]): Arrow[] {
  const known = new Set(files.map(({ path }) => path));
  return files.flatMap(({ path, imports, passedOn }) =>
    [...imports, ...passedOn].filter(({ from }) => known.has(from)).map(({ from }) => ({
      from: path,
      to: from,
      because: `${path} -> ${from}`,
    }))
  );
}

/** The circles among files: each group of files that reach one another. */
export function fileCircles(files: readonly SourceFile[]): string[] {
  return circles(fileArrows(files)).map((found) => `circle of files: ${found.join(", ")}`);
}

/**
 * The circles among the children of each folder. The files and sub-folders of a folder are the
 * nodes; an import between two files counts for the two children that they lie in.
 */
export function folderCircles(files: readonly SourceFile[]): string[] {
  const byFolder = new Map<string, Arrow[]>();
  for (const { from, to, because } of fileArrows(files)) {
    const [a, b] = [from.split("/"), to.split("/")];
    let depth = 0;
    while (depth < a.length && a[depth] === b[depth]) depth += 1;
    if (depth === 0 || depth >= a.length || depth >= b.length) continue;
    const folder = a.slice(0, depth).join("/");
    const arrow = { from: `${folder}/${a[depth]}`, to: `${folder}/${b[depth]}`, because };
    byFolder.set(folder, [...byFolder.get(folder) ?? [], arrow]);
  }
  return [...byFolder].flatMap(([folder, arrows]) =>
    circles(arrows).filter((found) => found.some((node) => !node.endsWith(".ts"))).map((found) =>
      [`circle within ${folder}: ${found.join(", ")}`, ...proofs(found, arrows)].join("\n  ")
    )
  );
}

function proofs(circle: readonly string[], arrows: readonly Arrow[]): string[] {
  const within = arrows.filter(({ from, to }) => circle.includes(from) && circle.includes(to));
  const byPair = new Map<string, string[]>();
  for (const { from, to, because } of within) {
    byPair.set(`${from} ${to}`, [...byPair.get(`${from} ${to}`) ?? [], because]);
  }
  return [...byPair.values()].map(([first = "", ...more]) =>
    more.length === 0 ? first : `${first} (and ${more.length} more)`
  );
}

/** Groups of nodes that reach one another, each sorted: the strongly connected parts. */
function circles(arrows: readonly Arrow[]): string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of arrows) {
    next.set(from, (next.get(from) ?? new Set()).add(to));
  }
  const reach = new Map<string, ReadonlySet<string>>();
  for (const node of next.keys()) reach.set(node, reachedFrom(node, next));
  const seen = new Set<string>();
  const found: string[][] = [];
  for (const node of [...next.keys()].toSorted()) {
    if (seen.has(node) || reach.get(node)?.has(node) !== true) continue;
    const circle = [...reach.get(node) ?? []].filter((other) => reach.get(other)?.has(node));
    for (const member of circle) seen.add(member);
    found.push(circle.toSorted());
  }
  return found;
}

function reachedFrom(
  start: string,
  next: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = [start];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const other of next.get(node) ?? []) {
      if (reached.has(other)) continue;
      reached.add(other);
      open.push(other);
    }
  }
  return reached;
}

/** From the lowest to the highest; each entry lists children of `src`. A layer knows lower ones. */
export type Layers = readonly (readonly string[])[];

/** Imports of a higher layer, and children of `src` that no layer names. */
export function arrowsUp(files: readonly SourceFile[], layers: Layers): string[] {
  const rank = (path: string): number | undefined => {
    const child = path.split("/")[1] ?? "";
    const found = layers.findIndex((layer) => layer.includes(child));
    return found === -1 ? undefined : found;
  };
  const own = files.filter(({ path }) => path.startsWith("src/"));
  const nameless = own.filter(({ path }) => rank(path) === undefined).map(({ path }) =>
    `no layer: ${path}`
  );
  const up = fileArrows(own).filter(({ from, to }) => (rank(from) ?? 0) < (rank(to) ?? 0)).map((
    { because },
  ) => `arrow up: ${because}`);
  return [...nameless, ...up];
}

/** Imports of `src/local/` from elsewhere than local and tests, and of `test/` from `src/`. */
export function arrowsIntoLocalOrTest(files: readonly SourceFile[]): string[] {
  const imports = files.flatMap(({ path, imports: own, passedOn }) =>
    [...own, ...passedOn].map(({ from }) => ({ path, from }))
  );
  return imports.filter(({ path, from }) =>
    !path.startsWith("test/") &&
    (from.startsWith("test/") ||
      from.startsWith("src/local/") && !path.startsWith("src/local/"))
  ).map(({ path, from }) =>
    `arrow into ${from.startsWith("test/") ? "test" : "local"}: ${path} -> ${from}`
  );
}

/**
 * Names exported by a file of `src` that no other file uses, types included. `kept` lists
 * `path name` pairs that something outside the graph reads, such as the platform.
 */
export function unusedExports(
  files: readonly SourceFile[],
  kept: ReadonlySet<string>,
): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const used = new Set<string>();
  for (const { imports, passedOn } of files) {
    for (const { from, names } of [...imports, ...passedOn.filter((one) => one.names)]) {
      for (const name of names ?? allExports(from, byPath)) markUsed(from, name, byPath, used);
    }
  }
  return files.filter(({ path }) => path.startsWith("src/")).flatMap(({ path, exports }) =>
    exports.map((name) => `${path} ${name}`).filter((key) => !used.has(key) && !kept.has(key))
  ).map((key) => `unused export: ${key}`);
}

/** Marks a name where it is imported and, through every `export *`, where it is declared. */
function markUsed(
  path: string,
  name: string,
  byPath: ReadonlyMap<string, SourceFile>,
  used: Set<string>,
): void {
  const key = `${path} ${name}`;
  if (used.has(key)) return;
  used.add(key);
  for (const { from, names } of byPath.get(path)?.passedOn ?? []) {
    if (names === undefined) markUsed(from, name, byPath, used);
  }
}

function allExports(path: string, byPath: ReadonlyMap<string, SourceFile>): string[] {
  const file = byPath.get(path);
  if (file === undefined) return [];
  const through = file.passedOn.filter(({ names }) => names === undefined);
  return [...file.exports, ...through.flatMap(({ from }) => allExports(from, byPath))];
}
