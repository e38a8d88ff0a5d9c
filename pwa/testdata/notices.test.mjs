import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plan } from '../../pb_public/ui/remind.js';
import { parts } from '../../pb_public/domains/later/compose.js';

test('a text without diacritics is one part up to 160 letters; with them up to 70', () => {
  for (const [text, n] of [['', 0], ['a'.repeat(160), 1], ['a'.repeat(161), 2], ['€'.repeat(80), 1], ['€'.repeat(81), 2], ['ế'.repeat(70), 1], ['ế'.repeat(71), 2], ['a'.repeat(306), 2], ['a'.repeat(307), 3]]) {
    assert.equal(parts(text), n, `${text.length} letters of ${text[0]}`);
  }
});

test('a reminder is shown once, not before its hour and not a day late', () => {
  const hour = 3_600_000, now = 1_000 * hour;
  const all = [['past', -2 * hour], ['shown', -hour], ['stale', -25 * hour], ['soon', hour], ['later', 5 * hour]].map(([tag, by]) => ({ tag, at: now + by, title: tag, href: '#/' }));
  const { due, next } = plan(all, new Set(['shown']), now);
  assert.deepEqual(due.map(r => r.tag), ['past']);
  assert.equal(next, hour);
  assert.equal(plan([], new Set(), now).next, 0);
  assert.ok(plan([{ tag: 'x', at: now + 90 * 24 * hour, title: '', href: '' }], new Set(), now).next < 2 ** 31, 'a timer that far would fire at once');
});
