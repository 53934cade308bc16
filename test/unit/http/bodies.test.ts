// What is held of bodies, and for how long: the budget, the deadline, the limits.
import { describe, it } from "vitest";
import { openBodies } from "../../../src/http/bodies.ts";
import { rememberCallers } from "../../../src/http/callers.ts";
import { gunzip } from "../../../src/kernel/bytes.ts";

const KIB = 1024;

function bodiesOf(bytesMax: number) {
  const timers = new Set<() => void>();
  const bodies = openBodies((_afterMs, run) => {
    timers.add(run);
    return () => void timers.delete(run);
  }, { bytesMax, bodyMsMax: 10_000 });
  return { bodies, timers };
}

const zeros = (bytes: number): ReadableStream<Uint8Array> => {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close();
      const chunk = Math.min(left, 16 * KIB);
      left -= chunk;
      controller.enqueue(new Uint8Array(chunk));
    },
  });
};

const codeOf = (read: { ok: boolean; code?: string }): string => read.code ?? "read";

describe("bodies", () => {
  it("share one budget until they are closed, and some of it stays for those who are known", async ({ expect }) => {
    const { bodies } = bodiesOf(512 * KIB);
    const [first, second, known] = [
      bodies.open("stranger"),
      bodies.open("stranger"),
      bodies.open("known"),
    ];
    expect(codeOf(await first.read(zeros(320 * KIB), 320 * KIB))).toBe("read");
    expect(codeOf(await second.read(zeros(KIB), 256 * KIB))).toBe("overloaded");
    expect(codeOf(await bodies.open("caller").read(zeros(64 * KIB), 64 * KIB))).toBe("read");
    expect(codeOf(await known.read(zeros(64 * KIB), 256 * KIB))).toBe("read");
    first.close();
    first.close();
    expect(codeOf(await second.read(zeros(KIB), 256 * KIB))).toBe("read");
  });

  it("give back what a refused one held", async ({ expect }) => {
    const { bodies } = bodiesOf(512 * KIB);
    for (let turn = 0; turn < 100; turn++) {
      const scope = bodies.open("stranger");
      expect(codeOf(await scope.read(zeros(300 * KIB), 200 * KIB))).toBe("payload_too_large");
      scope.close();
    }
  });

  it("count what arrived and not what was promised", async ({ expect }) => {
    const { bodies } = bodiesOf(512 * KIB);
    const scopes = Array.from({ length: 15 }, () => bodies.open("stranger"));
    for (const { read } of scopes) {
      expect(codeOf(await read(zeros(10), 16 * 1024 * KIB))).toBe("read");
    }
  });

  it("must arrive within ten seconds", async ({ expect }) => {
    const { bodies, timers } = bodiesOf(512 * KIB);
    let cancelled = false;
    const slow = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(1)),
      cancel: () => void (cancelled = true),
    });
    const reading = bodies.open("stranger").read(slow, KIB);
    expect(timers.size).toBe(1);
    for (const run of timers) run();
    expect(codeOf(await reading)).toBe("body_incomplete");
    expect([cancelled, timers.size]).toEqual([true, 0]);
  });

  it("that break off are a refusal and no failure of ours", async ({ expect }) => {
    const { bodies, timers } = bodiesOf(512 * KIB);
    const broken = new ReadableStream<Uint8Array>({
      pull: () => Promise.reject(new Error("connection reset")),
    });
    expect(codeOf(await bodies.open("stranger").read(broken, KIB))).toBe("body_incomplete");
    expect(timers.size).toBe(0);
  });

  it("unfold within the same budget", async ({ expect }) => {
    const { bodies } = bodiesOf(512 * KIB);
    const gzip = new CompressionStream("gzip") as unknown as TransformStream<
      Uint8Array,
      Uint8Array
    >;
    const packed = new Uint8Array(
      await new Response(zeros(400 * KIB).pipeThrough(gzip)).arrayBuffer(),
    );
    expect(packed.length).toBeLessThan(2 * KIB);
    const scope = bodies.open("stranger");
    expect(codeOf(await scope.read(gunzip(packed), 1024 * KIB))).toBe("overloaded");
  });

  it("arrive whole, whatever the pieces", async ({ expect }) => {
    const { bodies } = bodiesOf(512 * KIB);
    const pieces = [1, 20_000, 3, 0, 50_000].map((length, index) =>
      new Uint8Array(length).fill(index + 1)
    );
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    const read = await bodies.open("stranger").read(stream, 100 * KIB);
    const bytes = read.ok ? read.bytes : new Uint8Array(0);
    expect([bytes.length, bytes[0], bytes[1], bytes[20_001], bytes[20_004], bytes.at(-1)])
      .toEqual([70_004, 1, 2, 3, 5, 5]);
  });
});

describe("networks", () => {
  const remembered = () => {
    const clock = { ms: 0, nowMs: () => clock.ms };
    return { clock, callers: rememberCallers(clock) };
  };

  it("that fail thirty times in a minute wait for its end, and nobody else does", ({ expect }) => {
    const { clock, callers } = remembered();
    for (let count = 0; count < 29; count++) callers.failed("a");
    expect(callers.standingOf("a")).toBe("unknown");
    callers.failed("a");
    expect([callers.standingOf("a"), callers.standingOf("b")]).toEqual(["throttled", "unknown"]);
    clock.ms = 60_000;
    expect(callers.standingOf("a")).toBe("unknown");
  });

  it("that signed well are known for an hour, whatever fails beside it", ({ expect }) => {
    const { clock, callers } = remembered();
    callers.succeeded("a");
    for (let count = 0; count < 100; count++) callers.failed("a");
    expect(callers.standingOf("a")).toBe("known");
    clock.ms = 3_600_000;
    expect(callers.standingOf("a")).toBe("unknown");
  });

  it("are a bounded number, and strangers never push out one that is known", ({ expect }) => {
    const { callers } = remembered();
    callers.succeeded("aggregator");
    for (let count = 0; count < 30; count++) callers.failed("first");
    for (let index = 0; index < 10_000; index++) callers.failed(`n${index}`);
    expect([callers.standingOf("aggregator"), callers.standingOf("first")])
      .toEqual(["known", "unknown"]);
  });
});
