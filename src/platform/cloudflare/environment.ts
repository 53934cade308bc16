// The bindings of wrangler.toml. Written by hand and small; `wrangler deploy --dry-run` in CI lists
// the real ones beside it.
import type { ApplicationEnv } from "./composition.ts";
import type { Steward } from "./steward-object.ts";

export type Environment = ApplicationEnv & {
  readonly STEWARD: DurableObjectNamespace<Steward>;
};
