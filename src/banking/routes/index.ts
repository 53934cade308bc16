// Banking's routers, to be mounted by the composition.
export { connectionRoutes } from "./connections.ts";
export { quarantineListRoutes, quarantineReplayRoutes } from "./operator-quarantine.ts";
export { tokenRenewalRoutes } from "./token-renewals.ts";
export { webhookRoutes } from "./webhooks.ts";
