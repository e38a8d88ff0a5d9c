// @ts-check
// Marking a notice as read, from a window or from the worker.

/** @typedef {import('../sync/client.js').Client} Client */

/** Marks a notice as read, once. Two phones of a person make the same mark. @param {Client} c @param {string} id */
export async function mark(c, id) {
  if (!c.get('notices', id) || c.all('notice_marks').some(m => m.notice === id && m.person === c.me)) return;
  await c.edit({ coll: 'notice_marks', id: await markId(c.me, id), create: { person: c.me, notice: id, read_at: new Date().toISOString() } });
}

/** Id of the mark: the first 15 hex digits of SHA-256 over person and notice. @param {string} person @param {string} notice */
export async function markId(person, notice) {
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(person + notice)));
  return [...sum.subarray(0, 8)].map(b => b.toString(16).padStart(2, '0')).join('').slice(0, 15);
}
