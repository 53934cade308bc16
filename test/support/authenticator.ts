// A passkey in software: what a browser and an authenticator answer together (WebAuthn Level 3),
// with the faults that a test asks for.
import {
  base64Decode,
  base64UrlEncode,
  concatBytes,
  utf8Encode,
} from "../../src/kernel/encoding.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What may be wrong about an answer, and what an authenticator may say about itself. */
type Deviation = {
  readonly origin?: string;
  readonly rpId?: string;
  readonly userVerified?: boolean;
  readonly type?: string;
  readonly counter?: number;
  readonly format?: string;
  readonly certificates?: boolean;
  readonly algorithm?: number;
  readonly badSignature?: boolean;
  readonly userHandle?: string | null;
};

type Asked = { readonly challenge: string };

const FLAGS = { present: 0x01, verified: 0x04, attested: 0x40 };

function head(major: number, length: number): Bytes {
  return length < 24
    ? new Uint8Array([(major << 5) | length])
    : length < 256
    ? new Uint8Array([(major << 5) | 24, length])
    : new Uint8Array([(major << 5) | 25, length >> 8, length & 255]);
}

/** The part of CBOR (RFC 8949) that authenticators use. */
function cbor(value: unknown): Bytes {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") {
    const text = utf8Encode(value);
    return concatBytes(head(3, text.length), text);
  }
  if (value instanceof Uint8Array) return concatBytes(head(2, value.length), value);
  if (Array.isArray(value)) return concatBytes(head(4, value.length), ...value.map(cbor));
  const entries = [...(value as Map<unknown, unknown>)];
  return concatBytes(
    head(5, entries.length),
    ...entries.flatMap(([key, item]) => [cbor(key), cbor(item)]),
  );
}

async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** ASN.1 of an ECDSA signature, from the two numbers that WebCrypto gives one after the other. */
function der(signature: Bytes): Bytes {
  const whole = (number: Bytes): Bytes => {
    const first = number.findIndex((byte) => byte !== 0);
    const bare = number.slice(first);
    const positive = (bare[0] ?? 0) > 127 ? concatBytes(new Uint8Array(1), bare) : bare;
    return concatBytes(new Uint8Array([2, positive.length]), positive);
  };
  const both = concatBytes(whole(signature.slice(0, 32)), whole(signature.slice(32)));
  return concatBytes(new Uint8Array([48, both.length]), both);
}

export type Authenticator = Awaited<ReturnType<typeof softwareAuthenticator>>;

/** One passkey of one page; `counter` null never counts, as synchronised passkeys do not. */
export async function softwareAuthenticator(
  page: { readonly origin: string; readonly rpId: string },
  counter: number | null = null,
) {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const { x = "", y = "" } = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const credentialId = crypto.getRandomValues(new Uint8Array(32));
  const id = base64UrlEncode(credentialId);
  let uses = counter ?? 0;
  let handle: string | null = null;

  const clientData = ({ challenge }: Asked, type: string, over: Deviation): Bytes =>
    utf8Encode(JSON.stringify({
      type: over.type ?? type,
      challenge,
      origin: over.origin ?? page.origin,
      crossOrigin: false,
    }));
  const authenticatorData = async (over: Deviation, attested: Bytes | null): Promise<Bytes> => {
    const count = new Uint8Array(4);
    new DataView(count.buffer).setUint32(0, over.counter ?? uses);
    const flags = FLAGS.present | (over.userVerified === false ? 0 : FLAGS.verified) |
      (attested === null ? 0 : FLAGS.attested);
    return concatBytes(
      await sha256(utf8Encode(over.rpId ?? page.rpId)),
      new Uint8Array([flags]),
      count,
      attested ?? new Uint8Array(0),
    );
  };
  const coseKey = (over: Deviation): Bytes =>
    cbor(
      new Map<number, unknown>([
        [1, 2],
        [3, over.algorithm ?? -7],
        [-1, 1],
        [-2, base64Decode(x)],
        [-3, base64Decode(y)],
      ]),
    );
  return {
    id,
    /** `navigator.credentials.create` */
    async create(asked: Asked & { readonly user: { readonly id: string } }, over: Deviation = {}) {
      handle = asked.user.id;
      const attested = concatBytes(
        new Uint8Array(16),
        new Uint8Array([0, credentialId.length]),
        credentialId,
        coseKey(over),
      );
      const statement = over.certificates === true
        ? new Map<string, unknown>([["alg", -7], ["sig", new Uint8Array(70)], ["x5c", [
          new Uint8Array(10),
        ]]])
        : new Map<string, unknown>();
      const attestation = new Map<string, unknown>([
        ["fmt", over.format ?? "none"],
        ["attStmt", statement],
        ["authData", await authenticatorData(over, attested)],
      ]);
      return {
        id,
        rawId: id,
        type: "public-key",
        authenticatorAttachment: "platform",
        clientExtensionResults: { credProps: { rk: true } },
        response: {
          clientDataJSON: base64UrlEncode(clientData(asked, "webauthn.create", over)),
          attestationObject: base64UrlEncode(cbor(attestation)),
          transports: ["internal", "hybrid"],
        },
      };
    },
    /** `navigator.credentials.get` */
    async get(asked: Asked, over: Deviation = {}) {
      if (counter !== null) uses += 1;
      const data = await authenticatorData(over, null);
      const client = clientData(asked, "webauthn.get", over);
      const signature = new Uint8Array(
        await crypto.subtle.sign(
          { name: "ECDSA", hash: "SHA-256" },
          pair.privateKey,
          concatBytes(data, await sha256(client)),
        ),
      );
      if (over.badSignature === true) signature[40] = (signature[40] ?? 0) ^ 1;
      return {
        id,
        rawId: id,
        type: "public-key",
        authenticatorAttachment: "platform",
        clientExtensionResults: {},
        response: {
          clientDataJSON: base64UrlEncode(client),
          authenticatorData: base64UrlEncode(data),
          signature: base64UrlEncode(der(signature)),
          userHandle: over.userHandle === undefined ? handle : over.userHandle,
        },
      };
    },
  };
}
