// @ts-check
// While somebody looks at the app, the server says when a meeting would bring
// something: a number, never data (docs/PROTOCOL.md §12). Whoever misses a hint
// meets by the clock as before, so nothing here may fail aloud.

/** @typedef {import('./client.js').Client} Client */

const path = '/api/sync/hints';
const silence = 100_000, greeting = 10_000, poll = 55, polls = 10, longest = 60_000;

/** The stream does not pass here: a proxy holds it back, or this browser cannot read it as it comes. */
class HeldBack extends Error {}

/** The server asks for patience. */
class Later extends Error {
  /** @param {number} ms */
  constructor(ms) { super('later'); this.ms = ms; }
}

/** The server no longer accepts this phone; the next meeting tells why. */
class Ended extends Error {}

/**
 * Listens while the page is looked at, and has the client meet the server at each hint.
 * @param {Client} client
 * @param {{page?: {hidden: boolean, addEventListener: (type: string, f: () => void) => void}, random?: () => number, pause?: (ms: number, signal: AbortSignal) => Promise<void>}} [with_]
 * @returns {() => void} ends it
 */
export function hints(client, with_ = {}) {
  const page = with_.page ?? document;
  /** @type {AbortController | undefined} */
  let now;
  /** @type {string | undefined} the phone that listens */
  let whose;
  /** @type {string | undefined} one that the server sent away: it does not ask again until the page is looked at anew */
  let refused;
  const look = () => {
    const { account } = client;
    if (page.hidden || account?.phone !== whose) { now?.abort(); now = undefined; whose = account?.phone; }
    if (page.hidden || !account || now || refused === account.phone) return;
    const mine = now = new AbortController();
    new Listening(client, mine.signal, with_).run().catch(err => { if (err instanceof Ended) { refused = account.phone; client.sync(); } }).finally(() => { if (now === mine) now = undefined; });
  };
  page.addEventListener('visibilitychange', () => { refused = undefined; look(); });
  client.addEventListener('mood', look); // who signed in just now begins to listen
  client.addEventListener('change', look); // and who signed out ends it, in every window
  look();
  return () => { now?.abort(); };
}

class Listening {
  #heard = 0; #polls = 0;

  /** @param {Client} client @param {AbortSignal} signal @param {{random?: () => number, pause?: (ms: number, signal: AbortSignal) => Promise<void>}} with_ */
  constructor(client, signal, with_) {
    this.client = client;
    this.signal = signal;
    this.random = with_.random ?? Math.random;
    this.pause = with_.pause ?? pause;
  }

  async run() {
    for (let fails = 0; !this.signal.aborted;) {
      const begun = Date.now();
      let wait = Math.min(longest, 1000 * 2 ** Math.min(fails, 10)) * this.random();
      fails++;
      try {
        if (this.#polls > 0) {
          this.#polls--;
          await this.#listen(poll);
          fails = 0;
          continue;
        }
        await this.#listen(0);
      } catch (err) {
        if (err instanceof Ended) throw err;
        if (err instanceof HeldBack) { this.#polls = polls; continue; }
        if (err instanceof Later) wait = err.ms * (1 + this.random() / 2);
      }
      if (Date.now() - begun > longest) fails = 0; // it worked for a while
      await this.pause(wait, this.signal);
    }
  }

  /** One request: a stream until it ends, or one long-poll. @param {number} wait seconds, 0: a stream */
  async #listen(wait) {
    const { client } = this, { account } = client, stop = new AbortController();
    if (!account) throw new Ended();
    const end = () => stop.abort();
    this.signal.addEventListener('abort', end);
    this.#greeted = false;
    let patience = setTimeout(end, greeting + wait * 1000);
    try {
      const { cursor, epoch } = client.state.place;
      const body = new TextEncoder().encode(JSON.stringify({ above: Math.max(cursor, this.#heard), epoch, wait }));
      const res = await client.fetch(client.base + path, {
        method: 'POST', body, cache: 'no-store', credentials: 'omit', signal: stop.signal,
        headers: { 'Content-Type': 'application/json', ...await client.authorized('POST', path, body) },
      });
      await this.#refused(res);
      if (res.status === 204) return;
      if (wait) { this.#hear(await res.text()); return; }
      if (!(res.headers.get('Content-Type') ?? '').startsWith('text/event-stream')) throw new Error('not our answer');
      if (!res.body) throw new HeldBack();
      await this.#follow(res.body, () => { clearTimeout(patience); patience = setTimeout(end, silence); });
    } catch (err) {
      // A stream that does not even greet is held back.
      if (!wait && stop.signal.aborted && !this.signal.aborted && !this.#greeted) throw new HeldBack();
      throw err;
    } finally {
      clearTimeout(patience);
      this.signal.removeEventListener('abort', end);
      stop.abort();
    }
  }

  #greeted = false;

  /** @param {Response} res */
  async #refused(res) {
    if (res.ok) return;
    if (res.status === 401 || res.status === 403) throw new Ended();
    const after = Number(res.headers.get('Retry-After'));
    if (after > 0) throw new Later(Math.min(after, 3600) * 1000);
    throw new Error('HTTP ' + res.status);
  }

  /** @param {ReadableStream<Uint8Array>} stream @param {() => void} lives */
  async #follow(stream, lives) {
    const reader = stream.getReader(), words = new TextDecoder();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#greeted = true;
      lives();
      const lines = (rest + words.decode(value, { stream: true })).split('\n');
      rest = /** @type {string} */ (lines.pop());
      if (rest.length > 4096) throw new Error('not our stream');
      for (const line of lines) if (line.startsWith('data: ')) this.#hear(line.slice(6));
    }
  }

  /** @param {string} text */
  #hear(text) {
    const head = Number(JSON.parse(text).head) || 0;
    this.#heard = Math.max(this.#heard, head);
    this.client.sync();
  }
}

/** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
function pause(ms, signal) {
  return new Promise(done => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); done(); }, { once: true });
  });
}
