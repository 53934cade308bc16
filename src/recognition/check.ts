// Finds what contradicts itself in the data files: frames and descriptors. Run by the unit tests,
// so that such a file is refused before it is built. Pure.

import { compactOf } from "./alias.ts";
import type { Descriptor } from "./data/descriptors.ts";
import { readingsOf } from "./frames/index.ts";
import { compileHeads } from "./frames/pattern.ts";
import type { HeadFrame } from "./frames/types.ts";
import type { RowKind } from "./ports.ts";

const WIDEST_COLUMN = 40;

function frameProblems(frame: HeadFrame): string[] {
  const problems: string[] = [];
  const { id, kind, heads, columns } = frame;
  const carriesBrand = kind === "card" || kind === "refund";
  if (heads.length === 0) problems.push(`${id}: no head`);
  try {
    compileHeads([heads]);
  } catch (error) {
    problems.push(`${id}: ${error instanceof Error ? error.message : "bad pattern"}`);
  }
  for (const width of [columns?.merchant, columns?.townFirst]) {
    if (width !== undefined && !(Number.isInteger(width) && width > 0 && width <= WIDEST_COLUMN)) {
      problems.push(`${id}: column width out of range`);
    }
  }
  if (carriesBrand !== (frame.merchant !== "")) {
    problems.push(`${id}: example merchant does not fit the kind`);
  }
  if (!carriesBrand && (columns !== undefined || frame.cardDetails === true)) {
    problems.push(`${id}: a row without merchant has no columns`);
  }
  if (frame.source === "") problems.push(`${id}: no source`);
  return problems;
}

/** What a frame makes of the rows that it reads, beside the kind. */
function marksOf({ columns, contactless, remote, cutAt54 }: HeadFrame): string {
  return [
    columns?.merchant ?? 0,
    columns?.townFirst ?? 0,
    contactless === true,
    remote === true,
    cutAt54 === true,
  ].join();
}

type Reading = { readonly frame: HeadFrame; readonly kind: RowKind };

function isSameReading(a: Reading, b: Reading): boolean {
  return a.kind === b.kind && marksOf(a.frame) === marksOf(b.frame);
}

/**
 * Heads that two frames read, and read differently: kind, columns or marks. Words and optional
 * groups count, not how the patterns are written: "CARTE|CB" and "CB [BANCAIRE]" share a head. The
 * earlier frame wins, hence the later one must name it in `yieldsTo`, and nothing else.
 */
function sharedHeads(frames: readonly HeadFrame[]): string[] {
  const readings = frames.flatMap((frame) =>
    readingsOf(frame).map(({ kind, heads }) => ({ frame, kind, heads }))
  );
  const problems = new Set<string>();
  const yielded = new Set<string>();
  for (const ends of compileHeads(readings.map(({ heads }) => heads)).ends) {
    const [first, ...others] = ends.flatMap((index) => readings[index] ?? []);
    for (const other of others) {
      if (first === undefined || first.frame === other.frame || isSameReading(first, other)) {
        continue;
      }
      const { frame: { id, yieldsTo = [] }, kind } = other;
      yielded.add(`${id} ${first.frame.id}`);
      if (yieldsTo.includes(first.frame.id)) continue;
      problems.add(
        `${id}: shares a head with ${first.frame.id}, as ${kind} (${marksOf(other.frame)}) ` +
          `and as ${first.kind} (${marksOf(first.frame)})`,
      );
    }
  }
  for (const { id, yieldsTo = [] } of frames) {
    for (const earlier of yieldsTo) {
      if (!yielded.has(`${id} ${earlier}`)) problems.add(`${id}: yields to ${earlier} in vain`);
    }
  }
  return [...problems];
}

/**
 * What is wrong with the frames; empty when nothing is. Two frames that read one head must agree on
 * what it means.
 */
export function checkFrames(frames: readonly HeadFrame[]): readonly string[] {
  const problems = frames.flatMap(frameProblems);
  const ids = new Set<string>();
  for (const frame of frames) {
    if (ids.has(frame.id)) problems.push(`${frame.id}: id used twice`);
    ids.add(frame.id);
  }
  // A pattern that cannot be read has been named above, and hides which heads are shared.
  const readable = frames.filter(({ id }) => !problems.some((text) => text.startsWith(`${id}: `)));
  return [...problems, ...sharedHeads(readable)];
}

/** What is wrong with the descriptors; empty when nothing is. */
export function checkDescriptors(descriptors: readonly Descriptor[]): readonly string[] {
  const problems: string[] = [];
  const included = new Map<string, string>();
  const owners = new Map<string, string>();
  const excluded = new Map<string, Set<string>>();
  for (const { brand, exclude = [] } of descriptors) {
    const key = brand[0] ?? "";
    const phrases = excluded.get(key) ?? new Set<string>();
    excluded.set(key, phrases);
    for (const phrase of exclude) phrases.add(compactOf(phrase));
  }
  for (const { brand, wikidata, include = [], exclude = [], source } of descriptors) {
    const key = brand[0] ?? "";
    if (key === "") problems.push("a descriptor names no brand");
    if (source === "") problems.push(`${key}: no source`);
    if (include.length + exclude.length === 0) problems.push(`${key}: says nothing`);
    for (const name of brand) {
      if (name !== compactOf(name)) problems.push(`${key}: brand ${name} is not compact`);
      const owner = owners.get(name);
      if (owner !== undefined && owner !== key) problems.push(`${name}: names ${owner} and ${key}`);
      owners.set(name, key);
    }
    if (wikidata !== undefined) {
      const owner = owners.get(wikidata);
      if (owner !== undefined && owner !== key) {
        problems.push(`${wikidata}: names ${owner} and ${key}`);
      }
      owners.set(wikidata, key);
    }
    for (const alias of include) {
      const compact = compactOf(alias);
      const other = included.get(compact);
      if (compact === "") problems.push(`${key}: include without a letter`);
      if (other !== undefined && other !== key) problems.push(`${alias}: of ${other} and ${key}`);
      if (excluded.get(key)?.has(compact)) problems.push(`${key}: ${alias} included and excluded`);
      included.set(compact, key);
    }
  }
  return problems;
}
