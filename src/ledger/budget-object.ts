// Placeholder shell until the engine lands on this branch.
import { DurableObject } from "cloudflare:workers";

export class OfferBudget extends DurableObject {}
