// Why a message was set aside.
import type { ConnectionId } from "../../kernel/ids.ts";

/** The reason, and the connection that needs a repair because of it. */
export type Failure = { readonly reason: string; readonly connectionId: ConnectionId | null };
