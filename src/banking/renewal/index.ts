// New tokens for every user at an aggregator, after a leak.
export { approveRenewal, askRenewal, describeRenewal, renewalPage } from "./request.ts";
export type { RenewalView } from "./request.ts";
export { renewTokens } from "./work.ts";
