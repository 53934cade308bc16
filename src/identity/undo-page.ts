// The page that a mail's undo link opens. It changes nothing until its button is used, since mail
// scanners open links; the token behind `#` is read by the script and sent by the button. Pure.
import type { Locale } from "../texts/catalogue.ts";
import { UNDO } from "../texts/texts.ts";

export const UNDO_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const UNDO_SCRIPT = `const button = document.getElementById("undo");
const show = (id) => {
  for (const name of ["done", "failed", "later"]) {
    document.getElementById(name).hidden = name !== id;
  }
};
button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    const answer = await fetch("/v1/auth/undo", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: location.hash.slice(1) }),
    });
    if (answer.ok) show("done");
    else if (answer.status === 401 || answer.status === 422) show("failed");
    else throw new Error("no answer");
  } catch {
    show("later");
    button.disabled = false;
  }
});
`;

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** The page in one language, as HTML. */
export function undoPage(locale: Locale): string {
  const say = UNDO.in(locale);
  const text = (key: Parameters<typeof say>[0]): string => escaped(say(key));
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${text("title")}</title>
<link rel="stylesheet" href="/landing.css">
</head>
<body>
<main>
<h1>${text("title")}</h1>
<p>${text("what")}</p>
<p><button id="undo" type="button">${text("button")}</button></p>
<p id="done" role="status" hidden>${text("done")}</p>
<p id="failed" role="alert" hidden>${text("failed")}</p>
<p id="later" role="alert" hidden>${text("later")}</p>
</main>
<script src="/undo.js"></script>
</body>
</html>
`;
}
