// The look of the sandbox's pages: one style sheet, no script, no outside resource. Everything
// shown is escaped here or marked safe.

/** Text made safe for HTML content and attributes. */
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  ).replaceAll("'", "&#39;");
}

/** HTML that is already safe. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | null | undefined | readonly Html[];

function write(part: Part): string {
  if (part === null || part === undefined) return "";
  if (part instanceof Html) return part.text;
  return typeof part === "string" || typeof part === "number"
    ? escapeHtml(String(part))
    : part.map((one) => one.text).join("");
}

/** A template whose values are escaped unless they are `Html`. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((text, string, index) => text + write(parts[index - 1]) + string));
}

const style = `
:root{color-scheme:light dark;--bg:#f3f4f1;--card:#fff;--ink:#1b1f1d;--soft:#5b645f;--line:#d9ded9;--accent:#0b6b4f;--on:#fff;--bad:#a3231b;--badbg:#fdecea}
@media (prefers-color-scheme:dark){:root{--bg:#131715;--card:#1c211f;--ink:#eef2ef;--soft:#a4aea8;--line:#36403b;--accent:#4cc29a;--on:#0d1512;--bad:#ff9d94;--badbg:#3a1f1c}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:30rem;margin:0 auto;padding:1.5rem 1rem 3rem}main.wide{max-width:64rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:1.25rem;margin:0 0 1rem}
.banner{background:#fff4d6;color:#5a4100;border-bottom:1px solid #ecd9a0;text-align:center;font-size:.85rem;padding:.4rem 1rem}
h1{font-size:1.35rem;line-height:1.25;margin:.2rem 0 .6rem}h2{font-size:1.05rem;margin:0 0 .6rem}p{margin:.3rem 0 .8rem}.soft{color:var(--soft);font-size:.9rem}
label,legend{font-weight:600;font-size:.95rem}fieldset{border:0;padding:0;margin:0 0 1rem}legend{padding:0;margin-bottom:.4rem}
input[type=text],input[type=password],input[type=number],select{width:100%;font:inherit;color:inherit;background:var(--card);border:1px solid var(--soft);border-radius:9px;padding:.6rem .7rem;margin:.25rem 0 .9rem}
.choice{display:flex;gap:.7rem;align-items:center;border:1px solid var(--line);border-radius:10px;padding:.6rem .75rem;margin:0 0 .5rem;font-weight:400;cursor:pointer}
.choice:has(input:checked){border-color:var(--accent);box-shadow:inset 0 0 0 1px var(--accent)}.choice input{accent-color:var(--accent);width:1.1rem;height:1.1rem;flex:none}
.choice .end{margin-left:auto;color:var(--soft);font-size:.9rem;text-align:right}.dot{width:1.6rem;height:1.6rem;border-radius:50%;flex:none}
button{font:inherit;font-weight:600;border-radius:10px;padding:.7rem 1.1rem;border:1px solid var(--accent);background:var(--accent);color:var(--on);cursor:pointer}
button.plain{background:transparent;color:var(--ink);border-color:var(--soft)}button.danger{background:transparent;color:var(--bad);border-color:var(--bad)}
.buttons{display:flex;gap:.6rem;flex-wrap:wrap}.buttons button:first-child{flex:1}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.error{background:var(--badbg);color:var(--bad);border-radius:10px;padding:.7rem .9rem;margin:0 0 1rem;font-weight:600}
.steps{list-style:none;display:flex;gap:.4rem;padding:0;margin:0 0 1rem;font-size:.85rem;color:var(--soft)}.steps li{flex:1;border-top:4px solid var(--line);padding-top:.3rem}.steps li[aria-current]{border-color:var(--accent);color:var(--ink);font-weight:600}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.35rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}td.date{white-space:nowrap}td.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.scroll{overflow-x:auto}code,pre{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.85rem;overflow-wrap:anywhere}
.grid{display:grid;gap:0 1rem;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));align-items:start}details summary{cursor:pointer;color:var(--soft);margin-bottom:.6rem}
`;

/** A whole page. The banner says on every page that nothing here is a bank. */
export function page(
  title: string,
  body: Html,
  options: { status?: number; wide?: boolean; lang?: string } = {},
): Response {
  const text = html`
    <!doctype html>
    <html lang="${options.lang ?? "fr"}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${title}</title>
        <link rel="icon" href="data:,">
        <style>${new Html(style)}</style>
      </head>
      <body>
        <div class="banner" role="note">Bac à sable local : aucune banque, aucun argent réel.</div>
        <main${options.wide === true
          ? new Html(' class="wide"')
          : null}>${body}</main></body></html>
  `.text;
  return new Response(text, {
    status: options.status ?? 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      // No form-action: it would also forbid the redirect to an app's own scheme after a form was
      // sent.
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
    },
  });
}
