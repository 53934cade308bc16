// The operations of the OpenAPI document that an edge serves.
import type { World } from "./world.ts";

export type Schema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
};
export type Operation = {
  readonly method: string;
  readonly path: string;
  readonly statuses: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly body: Schema | null;
};
type Document = {
  readonly paths: Readonly<
    Record<
      string,
      Readonly<
        Record<string, {
          readonly responses: object;
          readonly parameters?: Operation["parameters"];
          readonly requestBody?: {
            readonly content: Readonly<Record<string, { readonly schema?: Schema }>>;
          };
        }>
      >
    >
  >;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

/** All operations, and a reader of what a schema refers to. */
export async function operationsOf(world: World) {
  const document = (await world.send("GET", "/openapi.json")).json as unknown as Document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => ({
      method: method.toUpperCase(),
      path,
      statuses: Object.keys(operation.responses),
      parameters: operation.parameters ?? [],
      body: operation.requestBody?.content["application/json"]?.schema ?? null,
    }))
  ).filter(({ path }) => !path.startsWith("/__local"));
  const resolve = (schema: Schema): Schema =>
    schema.$ref === undefined
      ? schema
      : document.components.schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {};
  return { operations, resolve };
}

export const keyOf = ({ method, path }: Operation): string => `${method} ${path}`;
