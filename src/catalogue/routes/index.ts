// The catalogue's HTTP: public reads and activations under /v1, operators' routes under /admin/v1.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../../http/context.ts";
import type { CatalogueRoutesDeps } from "./deps.ts";
import { operatorBrandRoutes } from "./operator-brands.ts";
import { operatorOfferRoutes } from "./operator-offers.ts";
import { operatorRecognitionRoutes } from "./operator-recognition.ts";
import { publicCatalogueRoutes } from "./public.ts";

/** Every router of the catalogue with the path it is mounted on. */
export function catalogueRouters(
  deps: CatalogueRoutesDeps,
): readonly { readonly path: string; readonly router: OpenAPIHono<AppEnv> }[] {
  return [
    { path: "/v1", router: publicCatalogueRoutes(deps) },
    { path: "/admin/v1", router: operatorBrandRoutes(deps) },
    { path: "/admin/v1", router: operatorOfferRoutes(deps) },
    { path: "/admin/v1", router: operatorRecognitionRoutes(deps) },
  ];
}
