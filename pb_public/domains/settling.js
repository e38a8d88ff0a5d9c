// @ts-check
// What waits for a person. Most phones never need these screens, so they are
// loaded when one is opened; the service worker has them without a network.

import { later as drawnLater } from '../ui/el.js';

/** @typedef {import('../app.js').Domain} Domain @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client @typedef {import('../sync/overlay.js').Edit} Edit */

/** What waits for this person's decision. @param {Client} c @returns {any[]} */
export function open(c) {
  const asked = new Set(c.asked('sync.settle').map(k => k.edit.args.phone + '/' + k.edit.args.n));
  return c.all('parked_edits').filter(p => !asked.has(p.phone + '/' + p.n));
}

/** A place that is drawn when its module is there. @param {(m: typeof import('./later/settling.js')) => any} draw */
export const later = draw => drawnLater(() => import('./later/settling.js'), draw);

/** Whether the plain form can put an edit right. @param {Edit} e */
export const mendable = e => e.n > 0 && !e.delete && (e.do ? ['market.sale', 'people.grant'].includes(e.do) : Boolean(e.create ?? e.change ?? e.add));

/** @type {Domain} */
export const settling = {
  name: 'settling', title: 'Việc chờ quyết định',
  tiles: c => (open(c).length ? [{ href: '#/viec-cho', title: 'Việc chờ quyết', icon: 'desk', count: open(c).length, duty: true }] : []),
  screens: {
    '/viec-cho': { title: 'Việc chờ quyết', draw: at => later(m => m.all(at)) },
    '/viec-cho/:id': { title: 'Chọn giá trị đúng', draw: at => later(m => m.decide(at)), list: '/viec-cho' },
    '/sua/:n': { title: 'Sửa và gửi lại', draw: at => later(m => m.mendForm(at)) },
  },
};
