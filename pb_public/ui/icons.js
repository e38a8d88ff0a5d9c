// @ts-check
// Small drawings, so that no phone shows an empty box where its font has no picture.

/** @type {Record<string, string>} paths on a field of 24 by 24 */
const paths = {
  home: 'M3 11 12 3l9 8M5 10v10h5v-6h4v6h5V10',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c0-4 4-6 8-6s8 2 8 6',
  book: 'M5 4h12a2 2 0 0 1 2 2v14H7a2 2 0 0 1-2-2zM5 18a2 2 0 0 1 2-2h12M12 7v6M9 10h6',
  station: 'M4 21V9l8-6 8 6v12zM12 10v7M8.500 13.500h7',
  file: 'M6 3h8l5 5v13H6zM14 3v5h5M9 13h7M9 17h7',
  desk: 'M3 13h5l2 3h4l2-3h5M3 13 6 4h12l3 9v7H3z',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500 21 21',
  basket: 'M3 10h18l-2 10H5zM8 10l3-6M16 10l-3-6M9 14v3M15 14v3',
  stall: 'M3 9l2-5h14l2 5M3 9a3 3 0 0 0 6 0 3 3 0 0 0 6 0 3 3 0 0 0 6 0M5 12v9h14v-9M10 21v-5h4v5',
  horn: 'M4 10v4h3l9 5V5L7 10zM19 9a4 4 0 0 1 0 6M8 14l1 6h2',
  needle: 'M14 4l6 6M17 7l-9 9-4 1 1-4 9-9M4 20l2-2M10 10l4 4',
  ruler: 'M3 16 16 3l5 5L8 21zM7 12l2 2M10 9l3 3M13 6l2 2',
  alert: 'M12 3 2 20h20zM12 10v4M12 17v.5',
  visit: 'M6 3v6a4 4 0 0 0 8 0V3M10 13v3a5 5 0 0 0 10 0v-2M20 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
};

const svg = 'http://www.w3.org/2000/svg';

/** A drawing by its name. @param {string} name */
export function icon(name) {
  const el = document.createElementNS(svg, 'svg'), path = document.createElementNS(svg, 'path');
  for (const [k, v] of Object.entries({ viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' })) el.setAttribute(k, v);
  path.setAttribute('d', paths[name] ?? '');
  el.append(path);
  return el;
}
