// The whole system as a sequence of sealed lines, and back: header, tables, budgets, ledgers, end.
// Nothing is opened before every row is proved to be the one that left. It never looks into a row;
// ciphertexts stay as they are, so both sides must hold the same keys.
import type { Keyring } from "../kernel/keyring.ts";
import { openWithKeyring, sealWithKeyring } from "../kernel/keyring.ts";
import { base64UrlEncode, utf8Decode, utf8Encode } from "../kernel/encoding.ts";
import { hmacSha256 } from "../kernel/hash.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { RawRow, RawValue } from "../kernel/table-copy.ts";
import type { Clock } from "../kernel/time.ts";
import type { DumpedPage, LedgerTransfer, TransferFailure } from "../ledger/ports.ts";
import type { TransferError } from "./errors.ts";
import type { ImportState, LineKind, LinePlace, SealedLine } from "./ports.ts";
import { MOVED } from "./store.ts";
import type { TransferStore } from "./store.ts";

type TransferParts = {
  readonly store: TransferStore;
  readonly objects: LedgerTransfer;
  readonly keyrings: {
    readonly encryption: Keyring;
    readonly index: Keyring;
    readonly archive: Keyring;
  };
  readonly cursors: {
    readonly seal: (scope: string, position: string) => string;
    readonly open: (scope: string, cursor: string) => string | null;
  };
  readonly clock: Clock;
  readonly random: RandomBytes;
};
export type Exported = SealedLine & { readonly next: string | null };
export type TransferService = {
  /** The line at `cursor` (null: the first) and the cursor of the next; null after the end. */
  readonly exportLine: (
    archive: string,
    cursor: string | null,
  ) => Promise<Result<Exported, TransferError>>;
  /** Takes a line. A line that was taken before is answered the same and changes nothing. */
  readonly importLine: (line: SealedLine) => Promise<Result<ImportState, TransferError>>;
  readonly importState: () => Promise<ImportState | null>;
  /** Sets the alarms of some ledgers; repeat until the state is `done`. */
  readonly open: () => Promise<Result<ImportState, TransferError>>;
  /** True while an import is neither finished nor ready to be opened. */
  readonly isLoading: () => Promise<boolean>;
};

const FORMAT = 1;
const OPENED_AT_ONCE = 50;

type Step = {
  readonly line: number;
  readonly kind: LineKind;
  readonly name: string;
  readonly page: number;
  readonly inner: string | null;
  readonly counts: Readonly<Record<string, number>>;
};
type Header = {
  readonly format: number;
  readonly migrations: readonly string[];
  readonly fingerprint: string;
};
type TablePage = { readonly columns: readonly string[]; readonly rows: readonly RawRow[] };
type End = { readonly counts: Readonly<Record<string, number>> };

export function transferService(parts: TransferParts): TransferService {
  const { store, objects, keyrings, cursors } = parts;
  const seal = async (place: LinePlace, content: unknown): Promise<SealedLine> => ({
    archive: place.archive,
    line: place.line,
    kind: place.kind,
    name: place.name,
    page: place.page,
    sealed: await sealWithKeyring(
      keyrings.archive,
      associated(place),
      utf8Encode(JSON.stringify(content)),
      parts.random,
    ),
  });
  return {
    importState: () => store.state(),
    isLoading: async () => ((await store.state())?.state ?? "done") !== "done",
    async exportLine(archive, cursor) {
      const scope = `transfer|${archive}`;
      const opened = cursor === null ? null : cursors.open(scope, cursor);
      if (cursor !== null && opened === null) return err("cursor_invalid");
      const step: Step = opened === null
        ? { line: 0, kind: "header", name: "", page: 0, inner: null, counts: {} }
        : (JSON.parse(opened) as Step);
      const made = await exportStep(parts, step);
      if (!made.ok) return made;
      const line = await seal({ archive, ...step }, made.value.content);
      return ok({
        ...line,
        next: made.value.next === null
          ? null
          : cursors.seal(scope, JSON.stringify(made.value.next)),
      });
    },
    async importLine(line) {
      const opened = await openWithKeyring(keyrings.archive, associated(line), line.sealed);
      if (!opened.ok) return err("line_refused");
      const content: unknown = JSON.parse(utf8Decode(opened.value));
      const state = await store.state();
      if (state !== null && state.archive !== line.archive) return err("other_import");
      if (state !== null && line.line < state.next) return ok(state);
      if (line.line !== (state?.next ?? 0)) return err("line_out_of_order");
      const taken = await takeLine(parts, line, content);
      const now = taken.ok ? await store.state() : null;
      return taken.ok ? (now === null ? err("incomplete") : ok(now)) : taken;
    },
    async open() {
      const state = await store.state();
      if (state === null || state.state === "loading") return err("incomplete");
      if (state.state === "done") return ok(state);
      const ids = await store.ids("ledger", state.after, OPENED_AT_ONCE);
      for (const id of ids) {
        const armed = await objects.arm(id);
        if (!armed.ok) return err(failureOf(armed.error));
      }
      const next: ImportState = {
        ...state,
        after: ids.at(-1) ?? state.after,
        state: ids.length < OPENED_AT_ONCE ? "done" : "opening",
      };
      await store.open(next.after, next.state === "done" ? "done" : "opening");
      return ok(next);
    },
  };
}

function associated(place: LinePlace): string {
  return ["transfer", FORMAT, place.archive, place.line, place.kind, place.name, place.page].join(
    "|",
  );
}

function failureOf(error: TransferFailure): TransferError {
  return error.code === "ledger_refused" ? "unavailable" : error.code;
}

// Identifies the keys without revealing them: two systems of the same text can read each other's
// ciphertexts and find each other's rows.
function fingerprintOf({ encryption, index }: TransferParts["keyrings"]): string {
  const marks = (ring: Keyring): string[] =>
    [...ring.keys].map(([kid, key]) =>
      `${kid}=${base64UrlEncode(hmacSha256(key, utf8Encode("cagnotte transfer fingerprint")))}`
    ).sort();
  return [...marks(encryption), "|", ...marks(index), "|", index.active].join(" ");
}

// ---- out ----------------------------------------------------------------------------------------

type Made = Result<{ readonly content: unknown; readonly next: Step | null }, TransferError>;

function exportStep(parts: TransferParts, step: Step): Promise<Made> {
  switch (step.kind) {
    case "header":
      return exportHeader(parts, step);
    case "table":
      return exportTablePage(parts, step);
    case "budget":
    case "ledger":
      return exportObjectPage(parts, { ...step, kind: step.kind });
    case "end":
      return exportEnd(parts, step);
  }
}

/** The first line of the next table, object or of the end. */
function startOf(kind: LineKind, name: string, after: Step): Step {
  return { line: after.line + 1, kind, name, page: 0, inner: null, counts: after.counts };
}

function nextPage(step: Step, inner: string): Step {
  return { ...step, line: step.line + 1, page: step.page + 1, inner };
}

/** Budgets first, then ledgers; the end when there is none left. */
async function nextObject(
  store: TransferStore,
  kind: "budget" | "ledger",
  afterId: string,
  after: Step,
): Promise<Step> {
  const [id] = await store.ids(kind, afterId, 1);
  if (id !== undefined) return startOf(kind, id, after);
  return kind === "budget" ? nextObject(store, "ledger", "", after) : startOf("end", "", after);
}

async function exportHeader({ store, keyrings }: TransferParts, step: Step): Promise<Made> {
  // A half-loaded system has no moment worth keeping.
  if ((await store.state())?.state === "loading") return err("incomplete");
  const content: Header = {
    format: FORMAT,
    migrations: await store.migrations(),
    fingerprint: fingerprintOf(keyrings),
  };
  const first = startOf("table", MOVED[0] ?? "", step);
  return ok({ content, next: { ...first, counts: await store.counts() } });
}

async function exportTablePage({ store }: TransferParts, step: Step): Promise<Made> {
  const after = step.inner === null ? null : (JSON.parse(step.inner) as RawValue[]);
  const page = await store.page(step.name, after);
  const content: TablePage = { columns: page.columns, rows: page.rows };
  if (page.after !== null) return ok({ content, next: nextPage(step, JSON.stringify(page.after)) });
  const following = MOVED[MOVED.indexOf(step.name) + 1];
  const next = following === undefined
    ? await nextObject(store, "budget", "", step)
    : startOf("table", following, step);
  return ok({ content, next });
}

async function exportObjectPage(
  { store, objects }: TransferParts,
  step: Step & { readonly kind: "budget" | "ledger" },
): Promise<Made> {
  const page = await objects.dump(step.kind, step.name, step.inner);
  if (!page.ok) return err(failureOf(page.error));
  const next = page.value.next === null
    ? await nextObject(store, step.kind, step.name, step)
    : nextPage(step, page.value.next);
  return ok({ content: page.value, next });
}

async function exportEnd({ store }: TransferParts, { counts }: Step): Promise<Made> {
  if (JSON.stringify(await store.counts()) !== JSON.stringify(counts)) return err("changed");
  return ok({ content: { counts } satisfies End, next: null });
}

// ---- in -----------------------------------------------------------------------------------------

async function takeLine(
  parts: TransferParts,
  line: SealedLine,
  content: unknown,
): Promise<Result<null, TransferError>> {
  const { store, objects } = parts;
  switch (line.kind) {
    case "header":
      return begin(parts, line.archive, content as Header);
    case "table": {
      const { columns, rows } = content as TablePage;
      return (await store.load(line.line, line.name, columns, rows)) ? ok(null) : err("mismatch");
    }
    case "budget":
    case "ledger": {
      const page = content as DumpedPage;
      const staged = await objects.stage(line.kind, line.name, {
        archive: line.archive,
        number: line.page,
        parts: page.parts,
      });
      if (!staged.ok) return err(failureOf(staged.error));
      if (page.seal !== null) {
        const closed = await objects.close(line.kind, line.name, {
          archive: line.archive,
          pages: line.page + 1,
          seal: page.seal,
        });
        if (!closed.ok) return err(failureOf(closed.error));
      }
      return (await store.advance(line.line)) ? ok(null) : err("line_out_of_order");
    }
    case "end": {
      if (JSON.stringify(await store.counts()) !== JSON.stringify((content as End).counts)) {
        return err("mismatch");
      }
      return (await store.finish(line.line)) ? ok(null) : err("line_out_of_order");
    }
  }
}

async function begin(
  { store, keyrings, clock }: TransferParts,
  archive: string,
  header: Header,
): Promise<Result<null, TransferError>> {
  if (header.format !== FORMAT) return err("archive_unknown");
  if (header.fingerprint !== fingerprintOf(keyrings)) return err("keys_differ");
  if (JSON.stringify(header.migrations) !== JSON.stringify(await store.migrations())) {
    return err("versions_differ");
  }
  if (!(await store.isEmpty())) return err("not_empty");
  return (await store.begin(archive, clock.nowMs())) ? ok(null) : err("other_import");
}
