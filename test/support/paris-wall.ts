// Times as Powens writes them.
const parisWall = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Europe/Paris",
  dateStyle: "short",
  timeStyle: "medium",
});

/** An instant as the aggregator writes it: `YYYY-MM-DD HH:MM:SS` on the clocks of Paris. */
export function parisWallText(ms: number): string {
  return parisWall.format(ms);
}
