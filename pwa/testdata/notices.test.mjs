import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coming } from '../../pb_public/push/coming.js';
import { look, remind } from '../../pb_public/push/remind.js';
import { parts } from '../../pb_public/domains/later/compose.js';

test('a text without diacritics is one part up to 160 letters; with them up to 70', () => {
  for (const [text, n] of [['', 0], ['a'.repeat(160), 1], ['a'.repeat(161), 2], ['€'.repeat(80), 1], ['€'.repeat(81), 2], ['ế'.repeat(70), 1], ['ế'.repeat(71), 2], ['a'.repeat(306), 2], ['a'.repeat(307), 3]]) {
    assert.equal(parts(text), n, `${text.length} letters of ${text[0]}`);
  }
});

const hour = 3_600_000, noon = new Date('2026-11-24T12:00').getTime();
const at = (tag, hours) => ({ tag, at: noon + hours * hour, title: tag, link: '#/' + tag });

/** A phone's plan, and what was shown. */
function phone() {
  const p = { plan: {}, shown: [], writes: 0,
    async keep(change) { const next = change(p.plan); if (next) { p.plan = next; p.writes++; } },
    async showNotification(title, { tag, data, showTrigger }) { p.shown.push([tag, data.link, ...(showTrigger ? [showTrigger.at] : [])]); },
    async getNotifications({ tag }) { return [{ close: () => p.shown.push(['off', tag]) }]; },
    at: (hours, ...all) => remind(p, all, p.keep, noon + hours * hour),
  };
  return p;
}

test('a reminder is shown once, at its hour or when the phone is awake next, not a day late', async () => {
  const p = phone();
  assert.equal(await p.at(0, at('a', 2), at('b', 5), at('c', 30)), 2 * hour);
  assert.equal(await p.at(1, at('a', 2), at('b', 5), at('c', 30)), hour);
  assert.equal(p.writes, 1, 'nothing new, nothing written');
  await p.at(6, at('a', 2), at('b', 5), at('c', 30));
  await p.at(6, at('a', 2), at('b', 5), at('c', 30));
  assert.deepEqual(p.shown, [['a', '#/a'], ['b', '#/b']]);
  assert.equal(await p.at(55, at('a', 2), at('b', 5), at('c', 30)), 0);
  assert.equal(p.shown.length, 2, 'a day late it is of no use');
  assert.deepEqual(p.plan, {});
});

test('what was not seen before its hour is no reminder; what was put off or called off is none at the old hour', async () => {
  const p = phone();
  await p.at(0, at('past', -1), at('moved', 2), at('off', 2));
  await p.at(3, at('past', -1), at('moved', 8), at('new', 3));
  assert.deepEqual([p.shown, p.plan], [[], { moved: noon + 8 * hour }]);
  await p.at(8, at('moved', 8));
  assert.deepEqual(p.shown, [['moved', '#/moved']]);
});

test('a window and the worker that wake at once: one of them shows it', async () => {
  const p = phone();
  await p.at(0, at('a', 1));
  await Promise.all([p.at(2, at('a', 1)), p.at(2, at('a', 1))]);
  assert.equal(p.shown.length, 1);
});

test('a browser that holds them until their hour gets each once, and takes back what is off', async () => {
  globalThis.TimestampTrigger = class { constructor(at) { this.at = at; } };
  try {
    const p = phone();
    for (const hours of [0, 0]) assert.equal(await p.at(hours, at('a', 2), at('b', 5)), 0);
    await p.at(1, at('a', 3));
    await p.at(4, at('a', 3));
    assert.deepEqual(p.shown, [['a', '#/a', noon + 2 * hour], ['b', '#/b', noon + 5 * hour], ['off', 'a'], ['off', 'b'], ['a', '#/a', noon + 3 * hour]]);
  } finally { delete globalThis.TimestampTrigger; }
});

test('nobody is reminded of what is not theirs, done, or without a day', () => {
  const records = { announcements: [{ id: 'a1', title: 'Họp thôn', from: '2026-11-25' }, { id: 'a2', title: 'Không ngày' }, { id: 'a3', from: 'mai', title: 'Sai' }],
    dossiers: [{ id: 'd1', person: 'lan', due: '2026-12-01', status: 4 }, { id: 'd2', person: 'mai', due: '2026-12-01', status: 4 }, { id: 'd3', person: 'con', filed_by: 'lan', due: '2026-12-02', status: 5 }, { id: 'd4', person: 'lan', due: '2026-12-01', status: 9 }, { id: 'd5', person: 'lan', status: 1 }] };
  const all = coming({ me: 'lan', all: coll => records[coll] });
  assert.deepEqual(all.map(r => [r.tag, r.link, new Date(r.at).getHours()]), [['tin-a1', '#/tin/a1', 7], ['hen-d1', '#/ho-so/d1', 7], ['hen-d3', '#/ho-so/d3', 7]]);
  assert.equal(look({}, [], noon).next, 0);
});
