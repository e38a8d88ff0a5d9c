// @ts-check
// The phone's key. It is made here, never leaves the browser and cannot be read
// out even by this program: WebCrypto keeps it, IndexedDB holds only a handle.

/** @typedef {{kind: 'ed25519' | 'p256', pair: CryptoKeyPair, text: string}} Key text: the public key as PROTOCOL writes it */

const p256 = { name: 'ECDSA', namedCurve: 'P-256' };

/** Makes a key pair: Ed25519, or P-256 where the browser knows no better. @returns {Promise<Key>} */
export async function newKey() {
  for (const [kind, how] of /** @type {const} */ ([['ed25519', { name: 'Ed25519' }], ['p256', p256]])) {
    try {
      const pair = /** @type {CryptoKeyPair} */ (await crypto.subtle.generateKey(how, false, ['sign', 'verify']));
      return { kind, pair, text: kind + ':' + base64url(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))) };
    } catch (err) {
      if (kind === 'p256') throw err;
    }
  }
  throw new Error('make key: no known kind');
}

/** The bytes that are signed for a request. @param {string} method @param {string} path without query @param {Uint8Array} body as sent */
export function signingBytes(method, path, body) {
  const head = new TextEncoder().encode('langso1\n' + method + ' ' + path + '\n');
  const all = new Uint8Array(head.length + body.length);
  all.set(head); all.set(body, head.length);
  return all;
}

/** The Authorization header of a request. @param {Key} key @param {string} phone @param {string} method @param {string} path @param {Uint8Array} body */
export async function authorization(key, phone, method, path, body) {
  const how = key.kind === 'p256' ? { name: 'ECDSA', hash: 'SHA-256' } : { name: 'Ed25519' };
  const sig = await crypto.subtle.sign(how, key.pair.privateKey, signingBytes(method, path, body));
  return 'Phone ' + phone + '.' + base64url(new Uint8Array(sig));
}

/**
 * Checks a signature by a public key in text form.
 * @param {string} key `ed25519:…` or `p256:…` @param {string} signature base64url @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<boolean | undefined>} undefined: this browser cannot tell
 */
export async function verify(key, signature, bytes) {
  const [kind, raw] = key.split(':');
  const how = kind === 'p256' ? { ...p256, hash: 'SHA-256' } : { name: 'Ed25519' };
  try {
    const pub = await crypto.subtle.importKey('raw', unbase64url(raw), how, false, ['verify']);
    return await crypto.subtle.verify(how, pub, unbase64url(signature), bytes);
  } catch { return undefined; }
}

/** @param {Uint8Array} bytes */
export function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** @param {string} s */
export function unbase64url(s) {
  return Uint8Array.from(atob(s.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0));
}
