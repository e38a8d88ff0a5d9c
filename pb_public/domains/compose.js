// @ts-check
// The officers' side of notices and the village head's errands. Few phones need
// these screens, so they are loaded when one is opened.

import { later } from '../ui/el.js';

/** @typedef {import('../app.js').At} At @typedef {import('../sync/client.js').Client} Client */

const load = () => import('./later/compose.js');

/** Screens for broadcast.js. */
export const screens = {
  '/truyen-thanh/soan': { title: 'Soạn tin để gửi', draw: (/** @type {At} */ at) => later(load, m => m.compose(at)), list: '/truyen-thanh' },
  '/truyen-thanh/:id': { title: 'Tin để gửi', draw: (/** @type {At} */ at) => later(load, m => m.one(at)), list: '/truyen-thanh' },
  '/viec-thon': { title: 'Việc cần ghé nhà', draw: (/** @type {At} */ at) => later(load, m => m.errands(at)) },
};

/** Who may come in. @param {Client} c */
export const mayCompose = c => c.stands('duty:broadcast') || c.stands('duty:leader');

/** Errands that are still to be done. @param {Client} c */
export const openErrands = c => c.all('errands').filter(e => e.state === 'open');

/** The part of the desk about what is composed. @param {Client} c */
export const composed = c => later(load, m => m.composed(c));
