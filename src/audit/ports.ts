// What every domain may use of the audit trail: the event, the statement that writes it with the
// act itself, and the middleware that writes it for every other call of an operator.
export { operatorEvent } from "./event.ts";
export type { AuditEvent } from "./event.ts";
export { auditStatement, auditStatementWhen } from "./store.ts";
export { audited } from "./audited-call.ts";
