// Several users who hold one bank account: one of them earns, and the right passes between them.
export { handOver, handOversOf } from "./handover.ts";
export { switchEarning } from "./switch.ts";
export { answerTransfer, askTransfer } from "./transfer.ts";
