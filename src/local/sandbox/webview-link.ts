// The link that opens the webview: checked as the aggregator does, and the way back to the
// application.
import { connectors, findConnector } from "./connectors.ts";
import type { SandboxContext, Services } from "./context.ts";
import { html, page } from "./html.ts";
import { brokenLinkPage } from "./webview-pages.ts";

/** A checked link into one of the three flows. */
export interface Link {
  readonly flow: "connect" | "reconnect" | "manage";
  readonly redirectUri: string | null;
  readonly state: string | null;
  readonly code: string | null;
  readonly params: URLSearchParams;
  /** The address that forms are sent to: this page with its own query. */
  readonly action: string;
}

/**
 * Whether the aggregator would accept this target: a web address or an app's scheme, without query
 * parameters.
 */
export function isRedirectUri(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return !["javascript:", "data:", "file:", "blob:", "about:"].includes(url.protocol) &&
    url.search === "" && url.hash === "";
}

/** The link's parameters, or what is wrong with it. */
export function readLink(c: SandboxContext, services: Services): Link | Response {
  const url = new URL(c.req.url);
  const params = url.searchParams;
  const flow = c.req.param("flow");
  if (flow !== "connect" && flow !== "reconnect" && flow !== "manage") {
    return brokenLinkPage("Parcours inconnu.");
  }
  if (!["fr", "en", "de", "nl", "pt", "it", "es"].includes(c.req.param("lang") ?? "")) {
    return brokenLinkPage("Langue inconnue.");
  }
  if (params.get("client_id") !== services.env.POWENS_CLIENT_ID) {
    return brokenLinkPage("client_id est absent ou inconnu.");
  }
  if ((params.get("domain") ?? "") === "") return brokenLinkPage("domain est absent.");
  const redirectUri = params.get("redirect_uri");
  if (redirectUri === null ? flow !== "manage" : !isRedirectUri(redirectUri)) {
    return brokenLinkPage("redirect_uri est absent ou invalide (sans paramètres).");
  }
  const code = params.get("code");
  if (code === null && flow !== "connect") return brokenLinkPage("code est absent.");
  return {
    flow,
    redirectUri,
    state: params.get("state"),
    code,
    params,
    action: `${url.pathname}${url.search}`,
  };
}

/** Back to the application with the flow's result, or a closing page without a target. */
export function goBack(link: Link, fields: Record<string, string | null>): Response {
  if (link.redirectUri === null) {
    return page(
      "C’est fait",
      html`
        <div class="card">
          <h1>C’est fait</h1>
          <p>Vous pouvez fermer cette page.</p>
        </div>
      `,
    );
  }
  const url = new URL(link.redirectUri);
  for (const [name, value] of Object.entries({ ...fields, state: link.state })) {
    if (value !== null) url.searchParams.set(name, value);
  }
  return new Response(null, {
    status: 302,
    headers: { location: url.href, "cache-control": "no-store" },
  });
}

/** The banks that the link offers: those it names, or all. */
export function offeredBanks(link: Link): string[] {
  const wanted = [
    ...(link.params.get("connector_uuids") ?? "").split(","),
    ...(link.params.get("connector_ids") ?? "").split(","),
  ]
    .filter((key) => key !== "").map((key) => findConnector(key)?.uuid).filter((uuid) =>
      uuid !== undefined
    );
  return wanted.length > 0 ? wanted : connectors.map(({ uuid }) => uuid);
}
