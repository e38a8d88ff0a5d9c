// @ts-check
// What a wake-up becomes on the screen. The wake-up says nothing; the words are
// those of the notices that the exchange has brought to this phone.

/**
 * @typedef {{t?: string, j?: number, g?: string, u?: boolean}} Wake as docs/PROTOCOL.md §3 writes it
 * @typedef {{title: string, options: NotificationOptions & {tag: string, renotify?: boolean, data: {link: string, notice?: string}}, ids: string[]}} Shown
 *   ids: the notices that it is about
 */

/** Most notices that one wake-up shows; the others are counted. */
const most = 3, week = 7 * 24 * 3600_000;

/** The wake-up in an event's data; one that cannot be read still says "sync". @param {string | undefined} text @returns {Wake} */
export function readWake(text) {
  try {
    const w = JSON.parse(text ?? '');
    if (w && typeof w === 'object') return { t: 's', j: Number(w.j) > 0 ? Number(w.j) : 0, g: typeof w.g === 'string' ? w.g : '', u: w.u === true };
  } catch { /* empty, or of another kind */ }
  return { t: 's', j: 0, g: '', u: false };
}

/**
 * What is shown of an urgent wake-up before anything is asked of the network: that there is something, and no word of what.
 * One that names its notice stands where that will stand, and sounds once however often it comes.
 * @param {Wake} wake @returns {Shown}
 */
export function first(wake) {
  const s = plain(wake.u ? 'Xã có thông báo cần xem ngay. Chạm để mở.' : 'Bà con có thông báo mới từ xã. Chạm để xem.', wake.g || 'langso', !wake.u);
  return { ...s, options: { ...s.options, renotify: !!wake.u && !wake.g } };
}

/**
 * The notices to show, never none: a browser must show something at each wake-up.
 * @param {{notices: any[], marks: any[], choices: any[], me: string}} has what the phone has now
 * @param {string[]} shown ids that were shown before @param {Wake} wake @param {boolean} fresh whether the exchange was complete @param {Date} now
 * @param {boolean} [heard] whether the phone has sounded for this wake-up already: then nothing sounds again
 * @returns {Shown[]}
 */
export function compose(has, shown, wake, fresh, now, heard = false) {
  const out = told(has, shown, wake, fresh, now);
  return heard ? out.map(s => ({ ...s, options: { ...s.options, silent: true, renotify: false } })) : out;
}

/** @param {Parameters<typeof compose>[0]} has @param {string[]} shown @param {Wake} wake @param {boolean} fresh @param {Date} now @returns {Shown[]} */
function told(has, shown, wake, fresh, now) {
  const read = new Set(has.marks.filter(m => m.person === has.me).map(m => m.notice)), before = new Set(shown);
  const off = new Set(has.choices.filter(c => c.person === has.me).flatMap(c => String(c.off ?? '').split(/\s+/)).filter(Boolean));
  const open = has.notices.filter(n => !read.has(n.id) && level(n) < 4 && (level(n) === 1 || !off.has(n.kind)) && !(time(n.expires) < now.getTime()));
  const news = open.filter(n => !before.has(n.id) && !(now.getTime() - time(n.at) > week)).sort((a, b) => level(a) - level(b) || time(b.at) - time(a.at));
  if (news.length) {
    const out = news.slice(0, most).map(n => one(n, true));
    const rest = news.slice(most);
    if (rest.length) out.push({ ...plain(`Và ${rest.length} thông báo khác trong hộp thư.`, 'langso-more'), ids: rest.map(n => n.id) });
    return out;
  }
  const again = open.find(n => n.id === wake.g); // the same wake-up twice: the same place on the screen, without a sound
  if (again) return [one(again, false)];
  if (!fresh) return [first(wake)];
  return [plain(wake.u ? 'Việc vừa báo đã được xem, hoặc đã hết hạn.' : 'Máy đã có đủ tin mới.', 'langso')];
}

/**
 * Puts what was composed in the place of what was shown at once. The new stands before the old goes, so that something is on
 * the screen all the while. Where nothing was learned the first word stays as it is, and does not come back when it was put away.
 * @param {Pick<ServiceWorkerRegistration, 'showNotification' | 'getNotifications'>} reg @param {Shown | undefined} before @param {Shown[]} out
 * @param {boolean} may whether a wake-up may end with nothing on the screen @param {number} [patience] in milliseconds
 */
export async function replace(reg, before, out, may, patience) {
  if (before && out[0]?.options.body === before.options.body) return;
  const next = may ? out.filter(s => s.ids.length) : out, tag = before?.options.tag;
  await show(reg, next, patience);
  if (tag && !next.some(s => s.options.tag === tag)) for (const n of await reg.getNotifications({ tag })) n.close();
}

/**
 * Shows them. One that fails does not keep the others back; neither does one that waits: Firefox keeps the fourth
 * that asks to stay until somebody taps, and its worker must go on hearing.
 * @param {Pick<ServiceWorkerRegistration, 'showNotification'>} reg @param {Shown[]} out @param {number} [patience] in milliseconds
 */
export async function show(reg, out, patience = 5000) {
  const late = new Promise(yes => { setTimeout(yes, patience); });
  await Promise.race([Promise.allSettled(out.map(s => reg.showNotification(s.title, s.options))), late]);
}

/** @param {any} n */
const level = n => n.class || (n.urgent ? 1 : 3);

/** @param {string | undefined} text */
const time = text => (text ? Date.parse(text.replace(' ', 'T')) : NaN);

/** @param {any} n @param {boolean} sound @returns {Shown} */
function one(n, sound) {
  const l = level(n);
  const link = typeof n.link === 'string' && n.link.startsWith('#/') ? n.link : '#/thong-bao/' + n.id;
  return {
    ids: [n.id], title: n.title || 'Làng Số',
    options: { body: n.body || '', tag: n.id, lang: 'vi', icon: '/icon.svg', silent: !sound || l > 2, requireInteraction: l === 1, data: { link, notice: n.id } },
  };
}

/** @param {string} body @param {string} tag @param {boolean} [silent] @returns {Shown} */
function plain(body, tag, silent = true) {
  return { ids: [], title: 'Làng Số', options: { body, tag, lang: 'vi', icon: '/icon.svg', silent, data: { link: '#/thong-bao' } } };
}
