// Free ports on the loopback address, so that test files can run beside each other and beside a
// running `npm start`.
import { createServer } from "node:net";

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.on("error", fail);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (typeof address === "object" && address !== null
        ? done(address.port)
        : fail(new Error("no port")))
      );
    });
  });
}
