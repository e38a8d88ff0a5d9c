// @ts-check
// What is known to come, from the phone's own records: days on which somebody
// should be reminded. No network is asked, and no words but the records' own.

/** @typedef {import('../sync/client.js').Client} Client @typedef {import('./remind.js').Reminder} Reminder */

/** In the morning of a day, by the phone's clock. @param {string} day */
const morning = day => new Date(day.slice(0, 10) + 'T07:00').getTime();

/** @param {Client} c @returns {Reminder[]} also those whose hour is past */
export function coming(c) {
  const dossiers = c.all('dossiers').filter(d => (d.person === c.me || d.filed_by === c.me) && d.due && d.status > 0 && d.status <= 8);
  return [
    ...c.all('announcements').filter(a => a.from).map(a => ({ tag: 'tin-' + a.id, at: morning(a.from), title: a.title, link: '#/tin/' + a.id })),
    ...dossiers.map(d => ({ tag: 'hen-' + d.id, at: morning(d.due), title: 'Hôm nay là ngày hẹn trả kết quả hồ sơ.', link: '#/ho-so/' + d.id })),
  ].filter(r => r.at > 0);
}
