// The page at the root address, for who opens it in a browser: what this is and where to read more.
// Pure; nothing in it comes from a request but the language.
import type { Locale } from "../texts/catalogue.ts";
import { LANDING } from "../texts/texts.ts";

/** No script and no style but the file beside it, so the policy can be as strict as it gets. */
export const LANDING_POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const LINKS = [
  ["/v1/legal", "link_legal"],
  ["/docs", "link_docs"],
  ["/openapi.json", "link_openapi"],
  ["/readyz", "link_ready"],
  ["/.well-known/security.txt", "link_security"],
] as const;

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The page in one language, as HTML. */
export function landingPage(locale: Locale): string {
  const texts = LANDING.in(locale);
  const say = (key: Parameters<typeof texts>[0]): string => escaped(texts(key));
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${say("title")}</title>
<link rel="stylesheet" href="/landing.css">
</head>
<body>
<main>
<h1>${say("title")}</h1>
<p>${say("what")}</p>
<p>${say("where")}</p>
<h2>${say("links")}</h2>
<ul>
${LINKS.map(([path, key]) => `<li><a href="${path}">${say(key)}</a></li>`).join("\n")}
</ul>
</main>
</body>
</html>
`;
}
