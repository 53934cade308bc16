// Undoes what a mail told the owner of an account about.
import { openUndoToken } from "../undo-token.ts";
import type { IdentityDeps } from "./deps.ts";
import { undoEmailChange } from "./email-change.ts";

/** False when the token is not ours or too late, or when there is nothing left to undo. */
export async function undo(deps: IdentityDeps, token: string): Promise<boolean> {
  const nowMs = deps.clock.nowMs();
  const undoable = openUndoToken(deps.keyrings.index, token, nowMs);
  if (undoable === null) return false;
  if (undoable.kind === "email") return undoEmailChange(deps, undoable.id);
  const undone = await deps.store.undoSession(undoable.id, nowMs);
  if (undone) deps.log.alert("session_undone", { session: undoable.id });
  return undone;
}
