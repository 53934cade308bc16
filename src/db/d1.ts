// The part of D1 that we use, as our own type: Cloudflare's binding satisfies it, and so does the
// one over node:sqlite.

export type SqlMeta = { readonly changes: number; readonly served_by_region?: string };
export type SqlResult<T> = {
  readonly results: T[];
  readonly success: boolean;
  readonly meta: SqlMeta;
};

export type SqlStatement = {
  bind(...values: unknown[]): SqlStatement;
  all<T = Record<string, unknown>>(): Promise<SqlResult<T>>;
  run<T = Record<string, unknown>>(): Promise<SqlResult<T>>;
  first<T = Record<string, unknown>>(): Promise<T | null>;
  raw<T = unknown[]>(): Promise<T[]>;
};

/** `batch` is one transaction, in order, all or nothing. There is no interactive transaction. */
export type SqlDatabase = {
  prepare(sql: string): SqlStatement;
  batch<T = Record<string, unknown>>(statements: SqlStatement[]): Promise<SqlResult<T>[]>;
};
