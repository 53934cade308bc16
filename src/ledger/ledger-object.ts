// Placeholder shell until the engine lands on this branch.
import { DurableObject } from "cloudflare:workers";

export class UserLedger extends DurableObject {
  ping(): string {
    return "pong";
  }
}
