package pwa_test

import (
	"testing"
)

// One window of a real browser becomes another's while the other still writes for
// the first: nothing of that is written, and what the second window had typed is
// seen by the move, though the first never read it.
func TestAStoreIsOneAccounts(t *testing.T) {
	plays(t, accountPage)
}

const accountPage = `<!doctype html><script type="module">
import { BrowserStore } from '/sync/index.js';
import { Writes, newState } from '/sync/exchange.js';
const say = t => { document.title = 'end: ' + t; };
const is = (got, want) => { if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(JSON.stringify(got) + ', want ' + JSON.stringify(want)); };
const late = async work => { try { await work; } catch (err) { if (err.constructor.name === 'Another') return; throw err; } throw new Error('it was written'); };
try {
  const a = await BrowserStore.open('t'), b = await BrowserStore.open('t');
  await a.move({ phone: 'lans', person: { id: 'lan', name: 'Lan' }, label: '' });
  await b.load();
  await a.append(n => [{ edit: { n, do: 'typed by Lan' } }], 'lans');
  let saw;
  await b.move({ phone: 'tus', person: { id: 'tu', name: 'Tú' }, label: '' }, (kept, notes, was) => { saw = [kept.map(k => k.edit.do), was.person.id]; return { edits: [], n: 0, notes: { ...notes, name: 'held' } }; });
  is(saw, [['typed by Lan'], 'lan']);
  const w = new Writes();
  w.phone = 'lans'; w.place = true;
  w.put('orders', 'o1', { id: 'o1', seq: 1, in: ['commune'], set: {} });
  await late(a.write(w, newState()));
  await late(a.append(n => [{ edit: { n, do: 'late' } }], 'lans'));
  await late(a.settle([{ edit: { n: 1, do: 'late' } }], [], 'lans'));
  await b.append(n => [{ edit: { n, do: 'typed by Tú' } }], 'tus');
  await late(a.wipe([{ edit: { n: 9, do: 'late' } }], 'lans'));
  const { state, account, notes } = await b.load();
  is([[...state.edits.values()].map(k => k.edit.do), state.records.size, account.phone, notes.name], [['typed by Tú'], 0, 'tus', 'held']);
  w.phone = 'tus';
  await b.write(w, newState());
  await a.move(undefined);
  await late(b.write(w, newState()));
  const left = await a.load();
  is([left.state.records.size, left.state.edits.size, left.account === undefined], [0, 0, true]);
  say('ok');
} catch (err) { say(String(err?.stack ?? err)); }
</script>`
