// The front page: what the bank holds, buttons for the usual operations, and the list of all
// controls. `GET /state` is the same as JSON.
import type { SandboxApp, Services } from "./context.ts";
import { connectorOf } from "./connectors.ts";
import type { Html } from "./html.ts";
import { html, page } from "./html.ts";
import type { RowRecord, WebhookRecord } from "./model.ts";
import { docOf } from "./store.ts";

const controls: readonly (readonly [string, string])[] = [
  [
    "POST /purchases",
    "Achat par carte : amount_cents, merchant, label, bank_format, rdate, pending, count, account…",
  ],
  ["POST /refunds", "Remboursement (montant positif) ; row reprend un achat"],
  [
    "POST /transfers · /direct-debits · /withdrawals · /salaries",
    "Virement, prélèvement, retrait, salaire",
  ],
  ["POST /summaries", "Total mensuel de la carte à débit différé"],
  ["GET /rows", "Dernières opérations connues de l’agrégateur, avec leurs ids"],
  [
    "POST /rows/{id}/book · /amend · /delete",
    "Comptabiliser (new_id), modifier, supprimer une opération",
  ],
  ["POST /accounts/{id}/recreate · /enable · /disable · /amend", "Vie d’un compte"],
  [
    "POST /connections/{id|newest}/state · /sync · /renew",
    "État, synchronisation, renouvellement du consentement",
  ],
  ["GET /webhooks · POST /webhooks/flush · /redeliver · /hold · /release", "File des webhooks"],
  ["POST /faults · GET · DELETE", "Pannes de l’agrégateur pour les n prochains appels"],
  ["POST /settings", "resend_changed, account_synced, no_account_status, timeout_ms, retry_ms"],
  ["GET /mailbox?to=", "Courriels reçus, avec leur code"],
  ["POST /clock", 'Avancer l’horloge du système local : {"advance":"P30D"}'],
  ["GET /cdn-cgi/access/certs", "Certificats des opérateurs"],
  ["GET /state", "Tout cela en JSON"],
];

function state({ store }: Services, nowMs: number) {
  const connections = store.all<{ id: number }>(
    "SELECT id FROM connections WHERE deleted_ms IS NULL ORDER BY id DESC LIMIT 20",
  )
    .map(({ id }) => store.connection(id)).filter((connection) => connection !== undefined)
    .map((connection) => ({
      connection_id: connection.id,
      user: connection.id_user,
      bank: connectorOf(connection.connector_uuid).name,
      state: connection.state,
      accounts: store.accountsOf(connection.id).filter(({ deleted }) => deleted === null)
        .map((account) => ({
          account: account.id,
          kind: store.bankAccount(account.bank_account).kind,
          name: store.bankAccount(account.bank_account).name,
          shared: account.disabled === null,
        })),
    }));
  const queue = Object.fromEntries(
    store.all<{ state: string; n: number }>(
      "SELECT state, count(*) AS n FROM webhooks GROUP BY state",
    ).map((row) => [row.state, row.n]),
  );
  const count = (table: string) =>
    store.first<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n ?? 0;
  return {
    now: new Date(nowMs).toISOString(),
    users: count("users WHERE deleted_ms IS NULL"),
    rows: count("rows"),
    mails: count("mails"),
    faults: count("faults"),
    webhooks: queue,
    connections,
  };
}

function rowsTable({ store }: Services): Html {
  const rows = store.all<RowRecord>("SELECT * FROM rows ORDER BY id DESC LIMIT 12");
  return html`
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Date</th>
            <th scope="col">Libellé</th>
            <th scope="col">Montant</th>
          </tr>
        </thead>
        <tbody>${rows.map((row) => {
          const doc = docOf(row);
          return html`
            <tr>
              <td>${row.id}</td>
              <td class="date">${doc.rdate}</td>
              <td><code>${doc.label}</code>${doc.coming
                ? html`
                  <span class="soft">en attente</span>
                `
                : null}${row.deleted === null ? null : html`
                <span class="soft">supprimée</span>
              `}</td>
              <td class="num">${Number(doc.value).toFixed(2).replace(".", ",")} €</td>
            </tr>
          `;
        })}</tbody>
      </table>
    </div>
  `;
}

function webhooksTable({ store }: Services): Html {
  const records = store.all<WebhookRecord>("SELECT * FROM webhooks ORDER BY id DESC LIMIT 12");
  const words = {
    pending: "à renvoyer",
    delivered: "reçu",
    held: "retenu",
    waiting: "en attente",
  } as const;
  return html`
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Événement</th>
            <th scope="col">État</th>
            <th scope="col">Essais</th>
          </tr>
        </thead>
        <tbody>${records.map((record) =>
          html`
            <tr>
              <td>${record.id}</td>
              <td>${record.event}</td>
              <td>${words[record.state]}${record.last_status === null
                ? null
                : ` (${record.last_status})`}</td>
              <td class="num">${record.attempts}</td>
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

const forms = html`
  <div class="grid">
    <form class="card" method="post" action="/purchases"><h2>Payer par carte</h2>
  <label for="merchant">Commerçant</label><input id="merchant" name="merchant" type="text" value="Monoprix" required>
  <label for="amount">Montant en centimes</label><input id="amount" name="amount_cents" type="number" min="1" value="3490" required>
  <label for="account">Compte</label><select id="account" name="account"><option value="checking">Compte chèque</option><option value="card">Carte à débit différé</option></select>
  <div class="buttons"><button>Payer</button></div></form>
    <form class="card" method="post" action="/refunds"><h2>Être remboursé</h2>
  <label for="refunded">Commerçant</label><input id="refunded" name="merchant" type="text" value="Monoprix" required>
  <label for="back">Montant en centimes</label><input id="back" name="amount_cents" type="number" min="1" value="3490" required>
  <div class="buttons"><button>Rembourser</button></div></form>
    <form class="card" method="post" action="/clock"><h2>Avancer l’horloge</h2>
  <label for="advance">Durée (ISO 8601)</label><input id="advance" name="advance" type="text" value="P1D" required pattern="P.*">
  <div class="buttons"><button>Avancer</button></div></form>
  </div>
`;

/** Mounts `GET /` and `GET /state`. */
export function mountIndex(app: SandboxApp, services: Services): void {
  app.get("/state", (c) => c.json(state(services, c.var.nowMs)));
  app.get("/", (c) => {
    const now = state(services, c.var.nowMs);
    return page(
      "Bac à sable",
      html`
        <h1>Bac à sable de Cagnotte</h1>
        <p
          class="soft">Il joue l’agrégateur, la banque, la messagerie et les certificats des opérateurs. Heure locale du système : <code>${now
            .now}</code></p>${forms}
        <div class="card"><h2>Connexions</h2>${now.connections.length === 0
          ? html`<p class="soft">Personne n’a encore connecté de banque.</p>`
          : html`
            <div class="scroll">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Id</th>
                    <th scope="col">Banque</th>
                    <th scope="col">État</th>
                    <th scope="col">Comptes partagés</th>
                  </tr>
                </thead>
                <tbody>${now.connections.map((one) =>
                  html`
                    <tr>
                      <td>${one.connection_id}</td>
                      <td>${one.bank}</td>
                      <td>${one.state ?? "en ordre"}</td>
                      <td>${one.accounts.filter(({ shared }) => shared).map(({ name, account }) =>
                        `${name} (${account})`
                      ).join(", ")}</td>
                    </tr>
                  `
                )}</tbody>
              </table>
            </div>
          `}</div>
        <div class="grid">
          <div class="card"><h2>Dernières opérations</h2>${rowsTable(services)}</div>
          <div class="card"><h2>Derniers webhooks</h2>${webhooksTable(services)}</div>
        </div>
        <div class="card">
          <h2>Commandes</h2>
          <div class="scroll">
            <table>
              <tbody>${controls.map(([path, what]) =>
                html`
                  <tr>
                    <th scope="row"><code>${path}</code></th>
                    <td>${what}</td>
                  </tr>
                `
              )}</tbody>
            </table>
          </div>
          <p
            class="soft">Chaque commande accepte <code>connection_id</code> ; sans lui, la plus récente. Détails et exemples : <code>src/local/sandbox/README.md</code>.</p>
        </div>
      `,
      { wide: true },
    );
  });
}
