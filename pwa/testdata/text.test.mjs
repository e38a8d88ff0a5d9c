import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fold, matches, money, readNumber } from '../../pb_public/ui/text.js';

test('search needs no diacritics, whatever the keyboard made', () => {
  assert.equal(fold('Vải  Thiều ĐẶC sản'), 'vai thieu dac san');
  assert.equal(fold('Vải Thiều'.normalize('NFD')), fold('Vải Thiều'.normalize('NFC')));
  assert.equal(matches('thieu vai', 'Vải thiều Phúc Hòa'), true);
  assert.equal(matches('oi', 'Vải thiều'), false);
  assert.equal(matches('', 'gì cũng được'), true);
});

test('money and numbers as people write them', () => {
  assert.equal(money(45000), '45.000 đ');
  for (const [typed, is] of [['2,5', 2.5], ['2.5', 2.5], ['45.000', 45000], ['1.250.000 đ', 1250000], [' 12 ', 12], ['-3', -3]]) assert.equal(readNumber(typed), is, typed);
  for (const typed of ['', 'hai', '1,2,3']) assert.equal(Number.isNaN(readNumber(typed)), true, typed);
});
