// @ts-check
// Gửi giúp: a phone without a network hands its sealed work to a neighbour, and
// carries a neighbour's. The screen is loaded when it is opened.

import { Courier, contentType, parse } from '../../sync/later/courier.js';
import { Collector, parts } from '../../sync/later/parts.js';
import { h } from '../../ui/el.js';
import { act, badge, say, section } from '../../ui/parts.js';
import { qr } from '../../ui/later/qr.js';

/** @typedef {import('../../app.js').At} At @typedef {import('../../sync/client.js').Client} Client @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** Whether bundles wait to be delivered, so that the next meeting does it also when this screen is closed. */
const carrying = 'mang-giup';

/** @type {WeakMap<Client, Courier>} */
const all = new WeakMap();

/** @param {Client} client */
function courierOf(client) {
  let c = all.get(client);
  if (!c) all.set(client, c = new Courier(client));
  return c;
}

/** Delivers what is carried, when there is a road. @param {Client} client */
export async function carryOn(client) {
  const courier = courierOf(client), n = await courier.deliver();
  if (!(await courier.carried()).waiting) localStorage.removeItem(carrying);
  return n;
}

/** The screen. @param {At} at */
export function page({ client }) {
  const courier = courierOf(client), given = h('div'), mine = h('div'), others = h('div');
  const again = () => { drawMine(mine, client, courier, show, open); drawOthers(others, client, courier, show, open); };
  /** Shows a file to be handed over. @param {Bytes} file @param {string} name @param {string} words */
  const show = (file, name, words) => { hand(given, file, name, words); given.scrollIntoView({ block: 'start' }); };
  /** Takes a file, whatever it is. @param {Bytes} file */
  const open = async file => {
    const said = await take(client, courier, file);
    say(said.words, said.good ? 'good' : 'bad');
    given.replaceChildren();
    again();
  };
  again();
  filesOpened(open);
  return h('div', null, given, mine, others);
}

/** @param {HTMLElement} box @param {Client} client @param {Courier} courier @param {(f: Bytes, name: string, words: string) => void} show @param {(f: Bytes) => Promise<void>} open */
async function drawMine(box, client, courier, show, open) {
  const n = client.waiting.length, away = await courier.underWay();
  box.replaceChildren(section('Nhờ người khác gửi giúp',
    h('p', null, n ? ['Máy còn ', h('b', null, `${n} việc chưa gửi`), '. '] : 'Máy không còn việc nào chờ gửi, nhưng vẫn nhờ lấy tin mới được. ',
      'Nhờ người sắp ra chỗ có sóng mang giúp. Gói được khóa kín: người mang không đọc được gì.'),
    h('div.buttons', null, act('Làm gói nhờ gửi', async () => {
      const { file, left } = await courier.pack();
      show(file, 'nho-gui', 'Đưa gói này cho người mang giúp.' + (left ? ` Còn ${left} việc chưa vừa gói, sẽ gửi lần sau.` : ''));
      drawMine(box, client, courier, show, open);
    }, 'main')),
    away ? [h('p.note', null, `Có ${away} gói đang nhờ mang. Khi người mang về, bà con nhận trả lời ở đây.`), take2('Nhận trả lời', open)] : null));
}

/** @param {HTMLElement} box @param {Client} client @param {Courier} courier @param {(f: Bytes, name: string, words: string) => void} show @param {(f: Bytes) => Promise<void>} open */
async function drawOthers(box, client, courier, show, open) {
  const { waiting, answered } = await courier.carried(), again = () => drawOthers(box, client, courier, show, open);
  box.replaceChildren(section('Mang giúp hàng xóm',
    h('p', null, 'Nhận gói của hàng xóm, khi máy này có mạng thì gửi lên xã, rồi đưa trả lời về cho họ.'),
    take2('Nhận gói', open),
    waiting ? h('div.card', null, h('p.card-title', null, `${waiting} gói chờ gửi `, badge('chờ mạng', 'wait')), h('p', null, 'Có mạng là máy tự gửi khi mở ứng dụng.'),
      h('div.buttons', null, act('Gửi ngay', async () => { const n = await carryOn(client); say(n ? `Đã gửi ${n} gói.` : 'Xã đang bận, máy sẽ gửi lại.', n ? 'good' : 'bad'); again(); }, 'main'))) : null,
    answered ? h('div.card', null, h('p.card-title', null, `${answered} trả lời chờ đưa lại `, badge('đã gửi xong', 'good')), h('p', null, 'Gặp lại hàng xóm thì đưa trả lời cho họ.'),
      h('div.buttons', null, act('Đưa trả lời', async () => show(await courier.answers(), 'tra-loi', 'Đưa trả lời này cho người đã nhờ.'), 'main'),
        act('Đã đưa xong', async () => { await courier.givenBack(); again(); }, 'quiet'))) : null));
}

/** Takes a file and tells what it was. @param {Client} client @param {Courier} courier @param {Bytes} file @returns {Promise<{words: string, good: boolean}>} */
async function take(client, courier, file) {
  const first = parse(file).all[0];
  if (!first) return { words: 'Tệp này không phải gói của Làng Số.', good: false };
  if (first.kind === 'B') {
    const n = await courier.carry(file);
    localStorage.setItem(carrying, '1');
    client.sync();
    return { words: `Đã nhận ${n} gói. Có mạng là máy gửi giúp.`, good: true };
  }
  const got = await courier.unpack(file), bad = got.verdicts.filter(v => v.is === 'refused' || v.is === 'parked').length;
  if (got.refused.length) return { words: got.refused[0].say || 'Xã chưa nhận gói này.', good: false };
  if (got.damaged) return { words: 'Trả lời bị hỏng. Xin người mang đưa lại lần nữa.', good: false };
  if (!got.answers) return { words: 'Trong tệp không có trả lời cho máy này.', good: false };
  if (bad) return { words: `Xã đã xem ${got.verdicts.length} việc. Có ${bad} việc cần bà con xem lại.`, good: false };
  return { words: got.verdicts.length ? `Xã đã nhận ${got.verdicts.length} việc của bà con.` : 'Đã nhận trả lời của xã.', good: true };
}

/** The two ways to take a file: from the phone's storage, and by its camera. @param {string} words @param {(f: Bytes) => Promise<void>} open */
function take2(words, open) {
  const input = h('input', { type: 'file', hidden: true, onchange: async () => {
    const f = input.files[0];
    input.value = '';
    if (!f) return;
    try { if (f.size > 8 << 20) throw new Error('Tệp này không phải gói của Làng Số.'); await open(new Uint8Array(await f.arrayBuffer())); } catch (err) { say(String(/** @type {any} */ (err).message), 'bad'); }
  } });
  const camera = h('div');
  return h('div', null, h('div.buttons', null, act(words + ' từ tệp', () => input.click(), 'plain'),
    'BarcodeDetector' in globalThis ? act(words + ' bằng mã QR', () => scan(camera, open), 'plain') : null), input, camera);
}

/** Reads codes by the camera until all parts are there. @param {HTMLElement} box @param {(f: Bytes) => Promise<void>} open */
async function scan(box, open) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }).catch(() => { throw new Error('Máy chưa cho dùng máy ảnh. Xin nhận bằng tệp.'); });
  const video = /** @type {HTMLVideoElement} */ (h('video.scan', { playsinline: true, muted: true })), told = h('p', null, 'Đưa máy ảnh vào mã QR.');
  const collector = new Collector(), reader = new (/** @type {any} */ (globalThis)).BarcodeDetector({ formats: ['qr_code'] });
  const stop = () => { for (const t of stream.getTracks()) t.stop(); box.replaceChildren(); };
  box.replaceChildren(video, told, h('div.buttons', null, act('Thôi quét', stop, 'quiet')));
  video.srcObject = stream;
  await video.play();
  const look = async () => {
    if (!box.isConnected || !video.isConnected) return stop();
    for (const { rawValue } of await reader.detect(video).catch(() => [])) {
      try {
        const file = await collector.add(rawValue);
        told.textContent = `Đã quét ${collector.have}/${collector.of} mã. Chuyển sang mã tiếp theo.`;
        if (file) { stop(); await open(file); return; }
      } catch (err) { told.textContent = String(/** @type {any} */ (err).message); }
    }
    setTimeout(look, 250);
  };
  look();
}

/** Ways to hand a file over: share it, save it, or show it as codes. @param {HTMLElement} box @param {Bytes} file @param {string} name @param {string} words */
async function hand(box, file, name, words) {
  const codes = h('div'), texts = await parts(file);
  box.replaceChildren(h('div.card', null, h('p.card-title', null, words), h('div.buttons', null,
    shareable(file, name) ? act('Gửi qua Zalo, Bluetooth…', () => share(file, name), 'main') : null,
    texts.length ? act(texts.length > 1 ? `Hiện ${texts.length} mã QR` : 'Hiện mã QR', () => codesOf(codes, texts), shareable(file, name) ? 'plain' : 'main') : null,
    act('Lưu thành tệp', () => save(file, name), 'plain'))), codes);
}

/** The file as it may be shared. Browsers share only kinds that they know: there it goes as a text. @param {Bytes} file @param {string} name */
function shareable(file, name) {
  for (const f of [new File([file], name + '.langso', { type: contentType }), new File([file], name + '.langso.txt', { type: 'text/plain' })]) {
    if (navigator.canShare?.({ files: [f] })) return f;
  }
}

/** @param {Bytes} file @param {string} name */
async function share(file, name) {
  const f = shareable(file, name);
  if (f) await navigator.share({ files: [f], title: 'Gói Làng Số' }).catch(err => { if (err.name !== 'AbortError') throw err; });
}

/** @param {Bytes} file @param {string} name */
function save(file, name) {
  const url = URL.createObjectURL(new Blob([file], { type: contentType })), a = h('a', { href: url, download: name + '.langso', hidden: true });
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  say('Đã lưu vào mục Tải về của máy.');
}

/** Shows codes one after another, by themselves until the screen is left, or where nothing should move by itself when they are pressed on. @param {HTMLElement} box @param {string[]} texts */
function codesOf(box, texts) {
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let k = 0;
  const img = h('img.qr.codes', { alt: 'Mã QR' }), told = h('p');
  const draw = () => {
    img.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(qr(texts[k]));
    told.textContent = texts.length > 1 ? `Mã ${k + 1}/${texts.length}. ${still ? 'Máy kia quét xong thì chạm «Mã tiếp».' : 'Máy tự chuyển mã; người nhận cứ để máy ảnh.'}` : 'Người nhận mở «Nhận gói bằng mã QR» rồi đưa máy ảnh vào đây.';
  };
  const step = (/** @type {number} */ by) => { k = (k + by + texts.length) % texts.length; draw(); };
  draw();
  box.replaceChildren(img, told, texts.length > 1 ? h('div.buttons', null, act('Mã trước', () => step(-1), 'quiet'), act('Mã tiếp', () => step(1), 'quiet')) : '');
  if (texts.length < 2 || still) return;
  const timer = setInterval(() => { if (img.isConnected) step(1); else clearInterval(timer); }, 3500);
}

/** Files that the system opens with this app. @param {(f: Bytes) => Promise<void>} open */
function filesOpened(open) {
  /** @type {any} */ (globalThis).launchQueue?.setConsumer(async (/** @type {any} */ p) => {
    for (const handle of p.files ?? []) await open(new Uint8Array(await (await handle.getFile()).arrayBuffer()));
  });
}

