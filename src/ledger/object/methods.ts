// The methods of a ledger, each declared once: the client, the object shells of both editions and
// the types between them are derived from these tables.
import type { Result } from "../../kernel/result.ts";
import type { Engine } from "../engine.ts";
import type { Leaf } from "../ports.ts";
import type { DueAnswer, Refused, RefusedAnswer } from "./alarm.ts";

/**
 * Answered by one engine call of the same name. After a "write" the alarm is set anew, because it
 * may have made something due earlier.
 */
export const ENGINE_METHODS = {
  record: "write",
  operate: "write",
  decideReview: "write",
  points: "read",
  entries: "read",
  overview: "read",
  purchases: "read",
  purchase: "read",
  activate: "read",
  activations: "read",
  offerUse: "read",
  bankingActivity: "read",
  unconfirmedSince: "read",
  reviews: "read",
  exportPage: "read",
  verify: "read",
} as const satisfies { readonly [M in keyof Engine]?: "write" | "read" };
export type EngineMethod = keyof typeof ENGINE_METHODS;

/** Answered by the shell around the engine, in steps of its own. */
export type ShellMethods = {
  /** Does what the alarm does, for whoever moves the clock or sweeps. */
  readonly runDue: (input: null, nowMs: number) => DueAnswer;
  /** Forgets how far D1 has come and projects again, from zero or from where D1 says that it is. */
  readonly reproject: (input: null, nowMs: number) => DueAnswer;
  /** The last sequence and head, also of an erased ledger. */
  readonly leaf: (input: null, nowMs: number) => Result<Leaf, Refused>;
  /** Empties the book for good and keeps its last leaf; the same leaf when repeated. */
  readonly erase: (input: null, nowMs: number) => Result<Leaf, Refused>;
};

export const LEDGER_METHODS = {
  ...ENGINE_METHODS,
  runDue: "shell",
  reproject: "shell",
  leaf: "shell",
  erase: "shell",
} as const satisfies Readonly<Record<EngineMethod | keyof ShellMethods, string>>;
export type LedgerMethod = keyof typeof LEDGER_METHODS;

type Methods = Pick<Engine, EngineMethod> & ShellMethods;
export type MethodInput<M extends LedgerMethod> = Parameters<Methods[M]>[0];
export type MethodAnswer<M extends LedgerMethod> = ReturnType<Methods[M]> | RefusedAnswer;

/**
 * What one user's ledger offers to its callers; a Durable Object stub has this shape, and so has
 * the Deno edition.
 */
export type LedgerStub = {
  readonly [M in LedgerMethod]: (
    input: MethodInput<M>,
    nowMs: number,
  ) => Promise<MethodAnswer<M>>;
};
export type LedgerNamespace = { readonly getByName: (name: string) => LedgerStub };

/**
 * An object with one method for each name of `table`. The methods share one body, which knows only
 * that it gets the input of its own name (`never`: no other may be put in its place).
 */
export function eachMethod<T extends { readonly [M in keyof T]: AsyncMethod }>(
  table: Readonly<Record<keyof T, string>>,
  make: (name: keyof T) => (...given: never) => Promise<Awaited<ReturnType<T[keyof T]>>>,
): T {
  const names = Object.keys(table) as (keyof T)[];
  return Object.fromEntries(names.map((name) => [name, make(name)])) as T;
}
type AsyncMethod = (...given: never) => Promise<unknown>;
