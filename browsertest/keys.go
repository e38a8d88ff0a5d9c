package browsertest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Stop is what the keys have reached: what it is called, and what is wrong with
// being there.
type Stop struct {
	Name, Flaws string
	Y           float64 // where it stands on the page, of what is in its main part; below 0 elsewhere
	Many        bool    // it has stops within, as a date has
	Same        bool    // the keys were here already before the last press
}

// stop looks at what has the focus, as somebody does who uses no pointer: it must
// be seen, not lie under a bar, stand out from its ground (WCAG 2.2, 2.4.7, 2.4.11 and
// 1.4.11: 3 to 1), have a name, and its turn must not be forced.
const stop = `(() => {
  const el = document.activeElement, same = el === globalThis.lastStop;
  globalThis.lastStop = el;
  if (!el || el === document.body || el.id === 'main') return JSON.stringify({ Name: '', Y: -1 });
  const out = [], s = getComputedStyle(el), r = el.getBoundingClientRect(), main = document.getElementById('main');
  const name = (el.getAttribute('aria-label') || el.labels?.[0]?.innerText || el.innerText || el.getAttribute('placeholder') || '').trim();
  if (!name) out.push('no name');
  if (el.tabIndex > 0) out.push('its turn is forced');
  if (s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2) out.push('nothing shows that it has the focus');
  const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const rgb = t => t.match(/[\d.]+/g).map(Number), ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0.9) return c; } return [255, 255, 255]; };
  const [a, b] = [light(rgb(s.outlineColor)), light(ground(parseFloat(s.outlineOffset) < 0 ? el : el.parentElement))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 3) out.push('its frame does not stand out');
  const top = document.elementFromPoint(Math.min(Math.max(r.left + r.width / 2, 1), innerWidth - 2), r.top + Math.min(r.height / 2, 30));
  if (!top || !(el === top || el.contains(top) || top.contains(el))) out.push('it lies under ' + (top ? top.className || top.tagName : 'the edge'));
  return JSON.stringify({ Name: name, Flaws: out.join(', '), Y: main?.contains(el) ? r.top + scrollY : -1, Many: ['date', 'time', 'datetime-local'].includes(el.type), Same: same });
})()`

// Key presses keys; what is no letter is named in chromedp's package kb.
func (p *Page) Key(keys string) { p.T.Helper(); p.Run(chromedp.KeyEvent(keys)) }

// Focus tells what the keys have reached.
func (p *Page) Focus() Stop {
	p.T.Helper()
	text, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string](stop))
	if err != nil {
		p.Fail(err)
	}
	var s Stop
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		p.Fail(err)
	}
	return s
}

// TabTo goes on by the Tab key until what bears the words is reached. At each stop
// it is checked that a person sees where they are, and is not held there; the way
// goes down the page.
func (p *Page) TabTo(words string) {
	p.T.Helper()
	var way []string
	y := -1.0
	for range 90 {
		p.Key(kb.Tab)
		s := p.Focus()
		way = append(way, s.Name)
		if s.Flaws != "" {
			p.T.Errorf("%q: %s", s.Name, s.Flaws)
		}
		if s.Same && !s.Many && s.Name != "" {
			p.T.Fatalf("the keys are held at %q", s.Name)
		}
		if s.Y >= 0 && y >= 0 && s.Y < y-60 {
			p.T.Errorf("%q comes after what stands below it", s.Name)
		}
		y = s.Y
		if strings.Contains(strings.ToLower(s.Name), strings.ToLower(words)) {
			return
		}
	}
	p.Fail(fmt.Errorf("no key reaches %q; the way is\n%s", words, strings.Join(way, "\n")))
}
