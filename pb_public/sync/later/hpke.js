// @ts-check
// HPKE (RFC 9180), base mode, one message: DHKEM(P-256, HKDF-SHA256),
// HKDF-SHA256, AES-128-GCM. WebCrypto does the arithmetic, this is the recipe.

const curve = { name: 'ECDH', namedCurve: 'P-256' };
const kemSuite = ['KEM', 0, 16], suite = ['HPKE', 0, 16, 0, 1, 0, 1];
const empty = new Uint8Array(0), text = new TextEncoder();

/** Puts bytes, texts and single bytes one after another. @param {...(Uint8Array | string | number)} parts @returns {Uint8Array<ArrayBuffer>} */
export function join(...parts) {
  const all = parts.map(p => (typeof p === 'string' ? text.encode(p) : typeof p === 'number' ? Uint8Array.of(p) : p));
  const out = new Uint8Array(all.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of all) { out.set(p, at); at += p.length; }
  return out;
}

/** Makes a key pair whose private half stays in the browser. @returns {Promise<CryptoKeyPair>} */
export const newPair = () => crypto.subtle.generateKey(curve, false, ['deriveBits']);

/** The 65 bytes of a public key. @param {CryptoKey} key */
export const rawKey = async key => new Uint8Array(await crypto.subtle.exportKey('raw', key));

/** HKDF-Extract. @param {Uint8Array} salt @param {Uint8Array<ArrayBuffer>} ikm */
async function extract(salt, ikm) {
  // HMAC fills a short key with zeros: this is the empty salt, where an empty key is not allowed.
  const key = await crypto.subtle.importKey('raw', salt.length ? join(salt) : new Uint8Array(32), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, ikm));
}

/** @param {(string | number)[]} of @param {Uint8Array} salt @param {string} label @param {Uint8Array} ikm */
const labeledExtract = (of, salt, label, ikm) => extract(salt, join('HPKE-v1', ...of, label, ikm));

/** LabeledExpand, for at most 32 bytes. @param {(string | number)[]} of @param {Uint8Array} prk @param {string} label @param {Uint8Array} info @param {number} length */
const labeledExpand = async (of, prk, label, info, length) => (await extract(prk, join(0, length, 'HPKE-v1', ...of, label, info, 1))).slice(0, length);

/** Key and nonce of the message. @param {Uint8Array} dh @param {Uint8Array} enc @param {Uint8Array} to @param {Uint8Array} info @param {KeyUsage} use */
async function schedule(dh, enc, to, info, use) {
  const shared = await labeledExpand(kemSuite, await labeledExtract(kemSuite, empty, 'eae_prk', dh), 'shared_secret', join(enc, to), 32);
  const context = join(0, await labeledExtract(suite, empty, 'psk_id_hash', empty), await labeledExtract(suite, empty, 'info_hash', info));
  const secret = await labeledExtract(suite, shared, 'secret', empty);
  const key = await crypto.subtle.importKey('raw', await labeledExpand(suite, secret, 'key', context, 16), 'AES-GCM', false, [use]);
  return { key, iv: await labeledExpand(suite, secret, 'base_nonce', context, 12) };
}

/** @param {CryptoKey} mine @param {Uint8Array<ArrayBuffer>} theirs */
async function exchange(mine, theirs) {
  const key = await crypto.subtle.importKey('raw', theirs, curve, false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: key }, mine, 256));
}

/** Seals to a public key. @param {Uint8Array<ArrayBuffer>} to its 65 bytes @param {Uint8Array} info @param {Uint8Array<ArrayBuffer>} plain @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function seal(to, info, plain) {
  const once = await newPair(), enc = await rawKey(once.publicKey);
  const { key, iv } = await schedule(await exchange(once.privateKey, to), enc, to, info, 'encrypt');
  return join(enc, new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain)));
}

/** Opens what was sealed to a pair. @param {CryptoKeyPair} mine @param {Uint8Array} info @param {Uint8Array<ArrayBuffer>} box @param {Uint8Array<ArrayBuffer>} [aad] @returns {Promise<Uint8Array<ArrayBuffer>>} @throws anything: it is damaged or not for this pair */
export async function open(mine, info, box, aad = empty) {
  const enc = box.slice(0, 65);
  const { key, iv } = await schedule(await exchange(mine.privateKey, enc), enc, await rawKey(mine.publicKey), info, 'decrypt');
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: aad }, key, box.slice(65)));
}
