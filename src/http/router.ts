// How a domain writes its routes: a zod-openapi router whose refusals are our problems, so that the OpenAPI document, the checks
// and the answers come from one declaration.
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "./context.ts";
import { problem } from "./problem.ts";
import type { FieldError } from "./problem.ts";

/** A router for one domain. Unknown or bad fields answer 422 `validation_failed` with a pointer to each. */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => (result.success ? undefined : problem(c, "validation_failed", { errors: fieldErrors(result.error.issues, result.target) })),
  });
}

// zod's own messages quote the offending value now and then; ours are made from its codes only.
function fieldErrors(issues: readonly z.core.$ZodIssue[], target: string): FieldError[] {
  const root = target === "json" ? "" : `#${target === "param" ? "path" : target}`;
  return issues.flatMap((issue): FieldError[] => {
    const path = issue.path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((name) => ({ pointer: `${root}${path}/${name.slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`, code: "unknown_field", detail: "unknown field" }));
    }
    return [{ pointer: `${root}${path}`, code: issue.code, detail: describe(issue) }];
  });
}

function describe(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${issue.expected}`;
    case "too_small":
      return `at least ${String(issue.minimum)}`;
    case "too_big":
      return `at most ${String(issue.maximum)}`;
    case "invalid_format":
      return `expected format ${issue.format}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "custom":
      // Words of our own schemas, which hold no value.
      return issue.message;
    default:
      return issue.code;
  }
}

/** The body of every problem, for the OpenAPI document. */
export const problemSchema = z
  .object({
    type: z.string(), title: z.string(), status: z.number().int(), code: z.string(), detail: z.string(), request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), code: z.string(), detail: z.string() })).optional(),
  })
  .openapi("Problem");

const problemContent = { "application/problem+json": { schema: problemSchema } };

/** Responses for the statuses a route may refuse with. */
export function problems(...statuses: readonly number[]): Record<number, { description: string; content: typeof problemContent }> {
  return Object.fromEntries(statuses.map((status) => [status, { description: "Problem details (RFC 9457)", content: problemContent }]));
}

/** A JSON answer of a route. */
export function answer<T extends z.ZodType>(schema: T, description: string): { description: string; content: { "application/json": { schema: T } } } {
  return { description, content: { "application/json": { schema } } };
}

/** A required JSON body of a route. */
export function body<T extends z.ZodType>(schema: T): { required: true; content: { "application/json": { schema: T } } } {
  return { required: true, content: { "application/json": { schema } } };
}

/** Marks a route as needing a user's or an operator's token in the OpenAPI document. */
export const userSecurity = [{ user: [] }];
export const operatorSecurity = [{ operator: [] }];
