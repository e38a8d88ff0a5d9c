// What a wake-up becomes on the screen: never nothing, never twice, never a word
// that was not in the inbox.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compose, first, readWake, replace, show } from '../../pb_public/push/compose.js';
import { markId } from '../../pb_public/push/mark.js';

const now = new Date('2026-11-24T08:00:00Z'), at = '2026-11-24 07:59:00.000Z';
const dossier = { id: 'n1', kind: 'dossier', title: 'Hồ sơ cần bổ sung', body: 'Thiếu bản sao', link: '#/ho-so/d1', class: 2, at };
const storm = { id: 'n2', kind: 'storm', title: 'Bão số 9', class: 1, urgent: true, at };
const news = { id: 'n3', kind: 'news', title: 'Họp thôn', at };
const has = (...notices) => ({ notices, marks: [], choices: [], me: 'lan' });
const look = (h, shown = [], wake = {}, fresh = true) => compose(h, shown, { t: 's', ...wake }, fresh, now);
const tags = out => out.map(s => s.options.tag);

test('the words are those of the inbox, the tap leads to what they are about', () => {
  const [s] = look(has(dossier));
  assert.equal(s.title, 'Hồ sơ cần bổ sung');
  assert.equal(s.options.body, 'Thiếu bản sao');
  assert.equal(s.options.silent, false);
  assert.deepEqual(s.options.data, { link: '#/ho-so/d1', notice: 'n1' });
  assert.equal(look(has(news))[0].options.data.link, '#/thong-bao/n3');
});

test('what presses comes first and stays; news makes no sound', () => {
  const out = look(has(news, dossier, storm));
  assert.deepEqual(tags(out), ['n2', 'n1', 'n3']);
  assert.deepEqual(out.map(s => [s.options.requireInteraction, s.options.silent]), [[true, false], [false, false], [false, true]]);
});

test('the same wake-up twice is one place on the screen, without a sound', () => {
  const [s] = look(has(dossier), ['n1'], { g: 'n1', u: true });
  assert.equal(s.options.tag, 'n1');
  assert.equal(s.options.silent, true);
});

test('something is always shown', () => {
  for (const [who, out] of Object.entries({
    'nothing new': look(has()), 'shown before': look(has(dossier), ['n1']), 'read already': look({ ...has(dossier), marks: [{ person: 'lan', notice: 'n1' }] }, [], { g: 'n1' }),
    'no road': look(has(), [], { g: 'n9' }, false), 'no road, urgent': look(has(), [], { u: true }, false), 'data alone': look(has({ ...news, class: 4 })),
    'of no more use': look(has({ ...storm, expires: '2026-11-24 07:59:59.000Z' })), 'weeks old': look(has({ ...news, at: '2026-11-01 00:00:00.000Z' })),
  })) {
    assert.equal(out.length, 1, who);
    assert.ok(out[0].options.tag && out[0].options.body, who);
    assert.ok(!/Hồ sơ|Bão|Họp/.test(out[0].title + out[0].options.body), who);
  }
});

test('a mark of another person of the household does not read for me', () => {
  assert.equal(look({ ...has(dossier), marks: [{ person: 'minh', notice: 'n1' }] })[0].options.tag, 'n1');
});

test('a kind that I switched off calls me only in an emergency', () => {
  const choices = [{ person: 'lan', off: 'news storm' }, { person: 'minh', off: 'dossier' }];
  assert.deepEqual(tags(look({ ...has(news, storm, dossier), choices })), ['n2', 'n1']);
});

test('a week without a network is three notices and a count, and each is known after', () => {
  const many = Array.from({ length: 9 }, (_, i) => ({ ...news, id: 'm' + i }));
  const out = look(has(...many));
  assert.deepEqual(tags(out), ['m0', 'm1', 'm2', 'langso-more']);
  assert.match(out[3].options.body, /Và 6 /);
  assert.equal(new Set(out.flatMap(s => s.ids)).size, 9);
});

test('a wake-up that cannot be read still says: sync', () => {
  const plain = { t: 's', j: 0, g: '', u: false };
  for (const text of [undefined, '', 'x', '[', 'null', '7', '{"j":"x","g":5,"u":"yes"}', '{"j":-3}']) assert.deepEqual(readWake(text), plain, text);
  assert.deepEqual(readWake('{"t":"s","j":12,"g":"n1","u":true}'), { t: 's', j: 12, g: 'n1', u: true });
});

test('two phones of a person make the same mark', async () => {
  assert.equal(await markId('lan', 'n1'), await markId('lan', 'n1'));
  assert.match(await markId('lan', 'n1'), /^[0-9a-f]{15}$/);
});

test('a notice that cannot be shown, or waits for a place, does not keep the others back', async () => {
  const seen = [];
  const reg = { async showNotification(title) {
    if (title === 'Bão số 9') return new Promise(() => {});
    if (title === 'Họp thôn') throw new Error('no');
    seen.push(title);
  } };
  await show(reg, look(has(storm, news, dossier)), 20);
  assert.deepEqual(seen, ['Hồ sơ cần bổ sung']);
});

/** A phone's screen: what stands there, and what sounded. */
function screen() {
  const p = { on: new Map(), sounded: [],
    async showNotification(title, { tag, body, silent, renotify }) {
      if (!silent && (!p.on.has(tag) || renotify)) p.sounded.push(title);
      p.on.set(tag, title + (body ? ': ' + body : ''));
      assert.ok(p.on.size, 'never empty');
    },
    async getNotifications({ tag }) { return p.on.has(tag) ? [{ close: () => p.on.delete(tag) }] : []; },
    /** The first word of a wake-up, then what the phone has when it has met the server. */
    async woken(wake, notices, { fresh = true, may = false, shown = [] } = {}) {
      const before = first(wake);
      await show(p, [before]);
      await replace(p, before, compose(has(...notices), shown, wake, fresh, now, true), may);
      return [...p.on];
    },
  };
  return p;
}

test('the first word of an urgent wake-up says nothing, and is the only sound', async () => {
  const { options } = first({ g: 'n2', u: true });
  assert.deepEqual([options.tag, options.silent, options.renotify], ['n2', false, false]);
  assert.doesNotMatch(options.body, /Bão/);
  for (const [who, wake] of Object.entries({ 'it names the notice': { g: 'n2', u: true }, 'it names nothing': { u: true } })) {
    const p = screen();
    assert.deepEqual(await p.woken(wake, [storm]), [['n2', 'Bão số 9']], who);
    assert.deepEqual(p.sounded, ['Làng Số'], who);
  }
});

test('two wake-ups that name nothing are two sounds; two about one notice are one', async () => {
  const p = screen();
  for (const wake of [{ u: true }, { u: true }, { g: 'n2', u: true }, { g: 'n2', u: true }]) await show(p, [first(wake)]);
  assert.equal(p.sounded.length, 3);
});

test('without a road the first word stays; when the person has put it away it does not come back', async () => {
  const p = screen(), before = first({ g: 'n2', u: true });
  await show(p, [before]);
  p.on.delete('n2');
  await replace(p, before, compose(has(), [], { g: 'n2', u: true }, false, now, true), false);
  assert.deepEqual([...p.on], []);
});

test('what was read elsewhere goes; something quiet stands there unless nothing need', async () => {
  assert.deepEqual((await screen().woken({ g: 'n2', u: true }, [])).map(([tag]) => tag), ['langso']);
  assert.deepEqual(await screen().woken({ g: 'n2', u: true }, [], { may: true }), []);
  const p = screen();
  await show(p, look(has(dossier)));
  assert.deepEqual((await p.woken({ g: 'n2', u: true }, [dossier], { may: true, shown: ['n1'] })).map(([tag]) => tag), ['n1']);
});
