// The pages of the webview: choosing a bank and signing in, confirming, choosing accounts,
// managing. Markup only; every form works without script and carries all it needs, so that curl and
// a headless browser can drive it alike.
import { connectors, scenarios } from "./connectors.ts";
import type { Html } from "./html.ts";
import { html, page } from "./html.ts";
import type { AccountKind } from "./model.ts";

/** What the sign-in page shows and keeps between tries. */
interface SignInPage {
  readonly title: string;
  readonly action: string;
  readonly session: string | null;
  /** Banks to choose from; one bank means there is no choice. */
  readonly uuids: readonly string[];
  readonly values: Record<string, string>;
  readonly error: string | null;
}

/** One account to choose. */
export interface AccountChoice {
  readonly id: number;
  readonly kind: AccountKind;
  readonly name: string;
  readonly detail: string;
  readonly checked: boolean;
}

function steps(current: number): Html {
  return html`<ol class="steps" aria-label="Étapes">${
    ["Ma banque", "Mes comptes", "Retour"].map((
      name,
      index,
    ) => (index === current ? html`<li aria-current="step">${name}</li>` : html`<li>${name}</li>`))
  }</ol>`;
}

function alert(error: string | null): Html | null {
  return error === null ? null : html`<p class="error" role="alert">${error}</p>`;
}

function hidden(name: string, value: string | null | undefined): Html | null {
  return value === null || value === undefined
    ? null
    : html`<input type="hidden" name="${name}" value="${value}">`;
}

function options(
  list: readonly { value: string; label: string }[],
  selected: string | undefined,
): Html[] {
  return list.map((
    { value, label },
  ) => (value === selected
    ? html`<option value="${value}" selected>${label}</option>`
    : html`<option value="${value}">${label}</option>`)
  );
}

function bankChoice(uuids: readonly string[], selected: string | undefined): Html {
  const shown = connectors.filter(({ uuid }) => uuids.includes(uuid));
  if (shown.length === 1) {
    return html`${hidden("connector_uuid", shown[0]?.uuid)}<p>Banque : <strong>${
      shown[0]?.name
    }</strong></p>`;
  }
  const chosen = shown.some(({ uuid }) => uuid === selected) ? selected : shown[0]?.uuid;
  return html`<fieldset><legend>Votre banque</legend>${
    shown.map((one) =>
      html`
        <label
          class="choice"><input type="radio" name="connector_uuid" value="${one
            .uuid}"${one.uuid === chosen
            ? html`
              checked
            `
            : null}><span class="dot" aria-hidden="true" style="background:#${one
            .color}"></span>${one.name}</label>
      `
    )
  }</fieldset>`;
}

/** Bank, login, password, scenario. */
export function signInPage(view: SignInPage): Response {
  return page(
    view.title,
    html`${steps(0)}<div class="card"><h1>${view.title}</h1>
<p class="soft">Identifiant au choix ; le mot de passe <strong>1234</strong> est accepté, tout autre est refusé.</p>${
      alert(view.error)
    }
<form method="post" action="${view.action}">${hidden("step", "credentials")}${
      hidden("session", view.session)
    }${bankChoice(view.uuids, view.values["connector_uuid"])}
<label for="login">Identifiant</label><input id="login" name="login" type="text" autocomplete="username" required value="${
      view.values["login"] ?? ""
    }">
<label for="password">Mot de passe</label><input id="password" name="password" type="password" autocomplete="off" required>
<label for="openapiwebsite">Scénario</label><select id="openapiwebsite" name="openapiwebsite">${
      options(scenarios, view.values["openapiwebsite"])
    }</select>
<details><summary>Réglages de la banque fictive</summary>
<label for="history_months">Mois d’historique (0 à 96)</label><input id="history_months" name="history_months" type="number" min="0" max="96" value="${
      view.values["history_months"] ?? "3"
    }">
<label for="sync">Première synchronisation</label><select id="sync" name="sync">${
      options([{ value: "before", label: "Avant le retour vers l’application" }, {
        value: "after",
        label: "Juste après le retour",
      }, { value: "manual", label: "Plus tard, par une commande" }], view.values["sync"])
    }</select></details>
<div class="buttons"><button name="action" value="continue">Continuer</button><button class="plain" name="action" value="cancel" formnovalidate>Annuler</button></div></form></div>`,
    { status: view.error === null ? 200 : 422 },
  );
}

/** The second factor: a code, or a confirmation in the bank's app. */
export function confirmPage(
  action: string,
  fields: Record<string, string>,
  wantsCode: boolean,
  error: string | null,
): Response {
  const what = wantsCode
    ? html`
      <p>Votre banque vous a envoyé un code.</p><label for="otp">Code (123456)</label><input id="otp"
        name="otp" type="text" inputmode="numeric" autocomplete="one-time-code" required
        pattern="[0-9]{6}">
    `
    : html`<p>Ouvrez l’application de votre banque, validez la connexion, puis continuez.</p>`;
  return page(
    "Confirmation",
    html`${steps(0)}<div class="card"><h1>Confirmez votre identité</h1>${alert(error)}
<form method="post" action="${action}">${hidden("step", "confirm")}${
      Object.entries(fields).map(([name, value]) =>
        html`<input type="hidden" name="${name}" value="${value}">`
      )
    }${what}
<div class="buttons"><button name="action" value="continue">${
      wantsCode ? "Valider" : "J’ai validé"
    }</button><button class="plain" name="action" value="cancel" formnovalidate>Annuler</button></div></form></div>`,
    { status: error === null ? 200 : 422 },
  );
}

function choices(accounts: readonly AccountChoice[]): Html {
  return html`<fieldset><legend>Comptes partagés</legend>${
    accounts.map((one) =>
      html`
        <label
          class="choice"><input type="checkbox" name="accounts" value="${one.id}" data-kind="${one
            .kind}"${one.checked
            ? html`
              checked
            `
            : null}>${one.name}<span class="end">${one.detail}</span></label>
      `
    )
  }</fieldset>`;
}

/** The choice of accounts after a successful sign-in. */
export function accountsPage(
  action: string,
  fields: Record<string, string>,
  accounts: readonly AccountChoice[],
  error: string | null,
): Response {
  return page(
    "Vos comptes",
    html`${steps(1)}<div class="card"><h1>Quels comptes partager ?</h1>
<p class="soft">Seuls les comptes cochés sont transmis. Les autres restent invisibles.</p>${
      alert(error)
    }
<form method="post" action="${action}">${hidden("step", "accounts")}${
      Object.entries(fields).map(([name, value]) =>
        html`<input type="hidden" name="${name}" value="${value}">`
      )
    }${choices(accounts)}
<div class="buttons"><button name="action" value="continue">Partager ces comptes</button><button class="plain" name="action" value="cancel">Annuler</button></div></form></div>`,
    { status: error === null ? 200 : 422 },
  );
}

/** The `manage` flow: opting accounts in and out, ending the connection. */
export function managePage(
  action: string,
  bank: string,
  idConnection: number,
  accounts: readonly AccountChoice[],
): Response {
  return page(
    "Gérer mes comptes",
    html`
      <div class="card">
        <h1>${bank}</h1>
        <form method="post" action="${action}">${hidden(
          "connection_id",
          String(idConnection),
        )}${choices(accounts)}
      <div class="buttons"><button name="action" value="save">Enregistrer</button><button class="plain" name="action" value="cancel">Fermer</button><button class="danger" name="action" value="delete">Supprimer la connexion</button></div></form>
      </div>
    `,
  );
}

/** What is wrong with the link that brought the user here: nothing to go back to. */
export function brokenLinkPage(detail: string): Response {
  return page(
    "Lien invalide",
    html`
      <div class="card">
        <h1>Ce lien ne fonctionne pas</h1>
        <p class="error" role="alert">${detail}</p>
        <p class="soft">Retournez à l’application et recommencez.</p>
      </div>
    `,
    { status: 400 },
  );
}
