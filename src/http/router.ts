// How a domain writes its routes: a zod-openapi router whose refusals are our problems, so that the
// OpenAPI document, the checks and the answers come from one declaration.
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { valueErrors } from "./validation.ts";
import type { AppEnv } from "./context.ts";
import { POINTERS, problem } from "./problem.ts";

/**
 * A router for one domain. Unknown or bad fields answer 422 `validation_failed` with a pointer to
 * each.
 */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const root = result.target === "json"
        ? ""
        : `#${result.target === "param" ? "path" : result.target}`;
      // The validator hands on what it checked, which its type does not say.
      const checked = valueErrors(
        result.error.issues,
        (result as { readonly data?: unknown }).data,
      );
      const locale = c.get("locale");
      return problem(c, "validation_failed", {
        errors: checked.map(({ pointer, code, detail }) => ({
          pointer: `${root}${pointer}`,
          code,
          detail: detail[locale],
        })),
      });
    },
  });
}

/** The body of every problem, for the OpenAPI document. */
const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string(),
    request_id: z.string(),
    errors: z.array(z.object({
      pointer: z.string().openapi({ description: POINTERS }),
      code: z.string(),
      detail: z.string(),
      line: z.number().int().optional().openapi({
        description: "Line of an imported file; the position in a JSON array",
      }),
    })).optional(),
  })
  .openapi("Problem");

const problemContent = { "application/problem+json": { schema: problemSchema } };

export const PROBLEM_DESCRIPTION = "Problem details (RFC 9457)";

/** Responses for the statuses a route may refuse with. */
export function problems(
  ...statuses: readonly number[]
): Record<number, { description: string; content: typeof problemContent }> {
  return Object.fromEntries(
    statuses.map((
      status,
    ) => [status, { description: PROBLEM_DESCRIPTION, content: problemContent }]),
  );
}

/** A JSON answer of a route. */
export function answer<T extends z.ZodType>(
  schema: T,
  description: string,
): { description: string; content: { "application/json": { schema: T } } } {
  return { description, content: { "application/json": { schema } } };
}

/** A required JSON body of a route. */
export function body<T extends z.ZodType>(
  schema: T,
): { required: true; content: { "application/json": { schema: T } } } {
  return { required: true, content: { "application/json": { schema } } };
}

/** Marks a route as needing a user's or an operator's token in the OpenAPI document. */
export const userSecurity = [{ user: [] }];
export const operatorSecurity = [{ operator: [] }];
