// What a wake-up becomes on the screen: never nothing, never twice, never a word
// that was not in the inbox.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compose, readWake, show } from '../../pb_public/push/compose.js';
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
