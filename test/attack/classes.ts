// The classes of attacks, and how much of each is tried.
import { lockOut, spraying } from "./campaigns.ts";
import { forgedTokens } from "./forged-tokens.ts";
import { fuzz } from "./fuzz.ts";
import { linkingAttack } from "./linking.ts";
import type { InProcessWorld } from "./in-process.ts";
import { matrix } from "./matrix.ts";
import { memory } from "./memory.ts";
import { mintedRows } from "./minted.ts";
import { quotas } from "./quotas.ts";
import { tampering } from "./tampering.ts";
import { webhookForgeries } from "./webhook-forgeries.ts";
import type { Report, World } from "./world.ts";

export type Effort = { readonly fuzzRequests: number; readonly sprayedAddresses: number };
export const SHORT: Effort = { fuzzRequests: 2_000, sprayedAddresses: 240 };
export const FULL: Effort = { fuzzRequests: 20_000, sprayedAddresses: 10_000 };

type Attack = (world: World, effort: Effort) => Promise<Report>;

/** Against the edge as a process, over HTTP. */
export const OVER_HTTP: Readonly<Record<string, Attack>> = {
  matrix,
  forgedTokens,
  webhookForgeries,
  linking: linkingAttack,
  quotas,
  memory,
  // Last: among what it sends are halts, as an owner.
  fuzz: (world, { fuzzRequests }) => fuzz(world, fuzzRequests),
};

/** In this process: calls from any address, the database's file, the aggregator's answers. */
export const IN_PROCESS: Readonly<
  Record<string, (world: InProcessWorld, effort: Effort) => Promise<Report>>
> = {
  spraying: (world, { sprayedAddresses }) => spraying(world, sprayedAddresses),
  lockOut,
  tampering,
  // Last: a month passes.
  mintedRows,
};
