// Which apps may use our passkeys and open our links, as Apple and Google ask for it. Pure; the
// apps come from the configuration.

/** An Android app: its package and the SHA-256 of each certificate that signs it. */
type AndroidApp = { readonly packageName: string; readonly fingerprints: readonly string[] };

/**
 * Apple's `apple-app-site-association`: passkeys (`webcredentials`) and those of our redirect
 * addresses that lie under our own address (`applinks`). Source: developer.apple.com, "Supporting
 * associated domains".
 */
export function appleAssociation(
  appIds: readonly string[],
  publicUrl: string,
  redirectUris: readonly string[],
) {
  const paths = redirectUris.filter((uri) => uri.startsWith(`${publicUrl}/`)).map((uri) =>
    new URL(uri).pathname
  );
  return {
    webcredentials: { apps: appIds },
    applinks: {
      details: appIds.length === 0 || paths.length === 0
        ? []
        : [{ appIDs: appIds, components: paths.map((path) => ({ "/": path })) }],
    },
  };
}

/**
 * Google's `assetlinks.json`: passkeys and links. Source: developers.google.com, "Digital Asset
 * Links".
 */
export function assetLinks(apps: readonly AndroidApp[]) {
  return apps.map(({ packageName, fingerprints }) => ({
    relation: [
      "delegate_permission/common.get_login_creds",
      "delegate_permission/common.handle_all_urls",
    ],
    target: {
      namespace: "android_app",
      package_name: packageName,
      sha256_cert_fingerprints: fingerprints,
    },
  }));
}
