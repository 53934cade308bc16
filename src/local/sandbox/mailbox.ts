// The e-mail provider: takes what the product sends, shows it to whoever asks. Finds the one-time
// code so that scripts can sign in.
import type { SandboxApp, Services } from "./context.ts";
import { readFields } from "./context.ts";

interface Mail {
  recipient: string;
  subject: string;
  text: string;
  code: string | null;
  sent_ms: number;
}

/**
 * The code in a text: ten characters alone on a line, or six digits with or without a blank in the
 * middle, never a part of a link; null when there is none.
 */
export function codeIn(text: string): string | null {
  const long = /^[0-9A-HJKMNP-TV-Z]{10}$/mu.exec(text)?.[0];
  if (long !== undefined) return long;
  const whole = /(?<![\w#-])\d{6}(?![\w-])/u.exec(text)?.[0];
  if (whole !== undefined) return whole;
  return /(?<!\d)\d{3}[ \u00A0\u202F]\d{3}(?!\d)/u.exec(text)?.[0].replaceAll(/\D/gu, "") ?? null;
}

/**
 * One spelling of a mailbox, so that who typed a Unicode domain finds the mail sent to its ASCII
 * form.
 */
function mailboxName(address: string): string {
  const name = address.trim().toLowerCase();
  const [local = "", domain = ""] = name.split("@");
  const url = `http://${domain}/`;
  return URL.canParse(url) ? `${local}@${new URL(url).hostname}` : name;
}

/** Mounts `POST /mailbox` (the product's delivery address) and `GET /mailbox?to=`. */
export function mountMailbox(app: SandboxApp, { store, env }: Services): void {
  app.post("/mailbox", async (c) => {
    if (c.req.header("authorization") !== `Bearer ${env.EMAIL_DELIVERY_TOKEN}`) {
      return c.json({ error: "unauthorized" }, 401);
    }
    const mail = await readFields(c.req.raw);
    const { to, subject, text, html } = mail ?? {};
    if (
      typeof to !== "string" || !to.includes("@") || typeof subject !== "string" ||
      typeof text !== "string"
    ) {
      return c.json({ error: "invalid", detail: "to, subject and text are required" }, 422);
    }
    const id = store.nextId("mails");
    store.run(
      "INSERT INTO mails (id, recipient, subject, text, html, code, sent_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
      id,
      mailboxName(to),
      subject,
      text,
      typeof html === "string" ? html : null,
      codeIn(text),
      c.var.nowMs,
    );
    return c.json({ id: String(id) }, 202);
  });

  app.get("/mailbox", (c) => {
    const asked = c.req.query("to");
    const to = asked === undefined ? null : mailboxName(asked);
    const limit = Math.min(500, Math.max(1, Number(c.req.query("limit") ?? 100) || 100));
    const mails = store.all<Mail>(
      "SELECT * FROM mails WHERE (?1 IS NULL OR recipient = ?1) ORDER BY id DESC LIMIT ?2",
      to,
      limit,
    );
    return c.json({
      data: mails.map((mail) => ({
        to: mail.recipient,
        subject: mail.subject,
        text: mail.text,
        code: mail.code,
        sent_at: new Date(mail.sent_ms).toISOString(),
      })),
    });
  });

  app.delete("/mailbox", (c) => {
    store.run("DELETE FROM mails");
    return c.body(null, 204);
  });
}
