// Finds what contradicts itself in the data files: frames and descriptors. Run by the unit tests,
// so that such a file is refused before it is built. Pure.

import { compactOf } from "./alias.ts";
import type { Descriptor } from "./data/descriptors.ts";
import { compileHeads, variantsOf } from "./frames/pattern.ts";
import type { HeadFrame } from "./frames/types.ts";

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

/** What is wrong with the frames; empty when nothing is. A head of two kinds is a contradiction. */
export function checkFrames(frames: readonly HeadFrame[]): readonly string[] {
  const problems = frames.flatMap(frameProblems);
  const ids = new Set<string>();
  const kinds = new Map<string, HeadFrame>();
  for (const frame of frames) {
    if (ids.has(frame.id)) problems.push(`${frame.id}: id used twice`);
    ids.add(frame.id);
    if (problems.some((problem) => problem.startsWith(`${frame.id}: head pattern`))) continue;
    for (const variant of frame.heads.flatMap(variantsOf)) {
      const other = kinds.get(variant);
      if (other !== undefined && other.kind !== frame.kind) {
        problems.push(`${frame.id}: head "${variant}" is ${other.kind} in ${other.id}`);
      }
      kinds.set(variant, frame);
    }
  }
  return problems;
}

/** What is wrong with the descriptors; empty when nothing is. */
export function checkDescriptors(descriptors: readonly Descriptor[]): readonly string[] {
  const problems: string[] = [];
  const included = new Map<string, string>();
  const excluded = new Map<string, Set<string>>();
  for (const { brand, exclude = [] } of descriptors) {
    const key = brand[0] ?? "";
    const phrases = excluded.get(key) ?? new Set<string>();
    excluded.set(key, phrases);
    for (const phrase of exclude) phrases.add(compactOf(phrase));
  }
  for (const { brand, include = [], exclude = [], source } of descriptors) {
    const key = brand[0] ?? "";
    if (key === "") problems.push("a descriptor names no brand");
    if (source === "") problems.push(`${key}: no source`);
    if (include.length + exclude.length === 0) problems.push(`${key}: says nothing`);
    for (const name of brand) {
      if (name !== compactOf(name)) problems.push(`${key}: brand ${name} is not compact`);
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
