// Finds a piece of source by its tokens, so that a reformatted file still holds it: white space and
// the comma before a closing bracket do not count.
const TOKEN = /[A-Za-z_$][\w$]*|\d[\w.]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`|[^\s]/g;

/** A pattern that matches `text` however it is laid out. */
export function tokenPattern(text: string): RegExp {
  const tokens = text.match(TOKEN) ?? [];
  const parts = tokens.flatMap((token, index) => {
    if (token === "," && /^[)\]}]$/.test(tokens[index + 1] ?? "")) return [];
    const escaped = token.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
    return [/^[)\]}]$/.test(token) ? String.raw`(?:,\s*)?${escaped}` : escaped];
  });
  return new RegExp(parts.join(String.raw`\s*`), "g");
}
