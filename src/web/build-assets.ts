// Copies what is served as static files: Swagger UI from its package, so that /docs needs no CDN,
// and the style of the page at the root address.
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const out = ".build/assets/docs";
const source = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

const page = `<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cagnotte · API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<main id="swagger-ui"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;
const start =
  `window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, defaultModelsExpandDepth: 0, docExpansion: "list", validatorUrl: null });\n`;

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
for (const name of ["swagger-ui.css", "swagger-ui-bundle.js"]) {
  await cp(join(source, name), join(out, name));
}
await writeFile(join(out, "index.html"), page);
await writeFile(join(out, "start.js"), start);
await cp("src/web/landing.css", ".build/assets/landing.css");
