// The page: which test, which part of its time, which process.
const $ = id => document.getElementById(id), run = JSON.parse($('run').textContent);

function html(name, text, style) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (style) e.className = style;
  return e;
}

const tips = new Map(), state = { test: 0, view: [0, 1], lane: -1, pin: -1, search: '' };
const test = () => run.tests[state.test] || { lanes: [], seconds: 1 };
state.found = lane => !state.search || (lane.pid + ' ' + lane.name).toLowerCase().includes(state.search);

function draw() {
  tips.clear();
  drawLanes($('lanes'), run, test(), state, tips);
}

function choose(i) {
  state.test = i;
  state.lane = state.pin = -1;
  const now = test();
  $('tests').value = i;
  $('note').textContent = [now.status + ', ' + seconds(now.seconds), now.looks ? now.looks + ' looks' : '', now.dropped ? now.dropped + ' entries more than are kept' : '', now.note || ''].filter(Boolean).join(' · ');
  drawGraph($('graph'), now.graph);
  findings(now);
  legend(now);
  all();
  pick(-1);
}

function all() { const s = Math.max(test().seconds, 1e-3); view(0, s * 1.06); }

function view(a, b) {
  const s = Math.max(test().seconds, 1e-3) * 1.06, w = Math.min(Math.max(b - a, 1e-4), s);
  a = Math.min(Math.max(a, 0), s - w);
  state.view = [a, a + w];
  draw();
}

function zoom(by, at) {
  const [a, b] = state.view;
  if (at === undefined) at = (a + b) / 2;
  view(at - (at - a) * by, at + (b - at) * by);
}

function pick(i) {
  const box = $('chosen'), lane = test().lanes[i];
  state.lane = lane ? i : -1;
  box.replaceChildren();
  if (lane) {
    box.append(html('h2', 'this process'));
    const dl = html('dl');
    for (const [what, text] of laneWords(run, test(), lane)) dl.append(html('dt', what), html('dd', text));
    box.append(dl);
  }
  draw();
  if (lane) $('lanes').querySelector('rect[data-lane="' + i + '"]').scrollIntoView({ block: 'nearest' });
}

function findings(t) {
  const box = $('findings'), list = html('ol');
  box.replaceChildren(html('h2', (t.pins || []).length ? 'found' : 'nothing was found'));
  (t.pins || []).forEach((p, n) => {
    const item = html('li'), b = html('button', undefined, 'finding');
    b.append(html('b', (n + 1) + ' ' + p.code + ': '), document.createTextNode(p.message));
    if (p.place) b.append(html('code', p.place + (p.source ? '   ' + p.source : '')));
    for (const d of (p.detail || []).slice(0, t.graph ? 5 : 12)) b.append(html('div', d, 'quiet'));
    b.append(html('div', (p.exact ? 'at ' : 'seen at ') + seconds(p.at) + (p.follows ? ', may follow from ' + p.follows : ''), 'at'));
    if (p.next) b.append(html('div', 'next: ' + p.next));
    b.addEventListener('click', () => toPin(n));
    item.append(b);
    list.append(item);
  });
  box.append(list);
}

function toPin(n) {
  const pins = test().pins || [];
  if (!pins.length) return;
  state.pin = (n + pins.length) % pins.length;
  const p = pins[state.pin];
  pick(test().lanes.findLastIndex(l => l.pid === p.pid));
  $('findings').querySelectorAll('.finding')[state.pin].focus({ preventScroll: true });
}

function search(next) {
  state.search = $('search').value.trim().toLowerCase();
  draw();
  if (!next || !state.search) return;
  const n = test().lanes.length;
  for (let k = 1; k <= n; k++) { const i = (state.lane + k + n) % n; if (state.found(test().lanes[i])) return pick(i); }
}

function key(e) {
  if (e.target.matches('input, select') || e.ctrlKey || e.metaKey || e.altKey) { if (e.key === 'Escape') e.target.blur(); return; }
  const [a, b] = state.view, w = b - a, n = test().lanes.length;
  const does = {
    '+': () => zoom(0.6), '=': () => zoom(0.6), '-': () => zoom(1 / 0.6), '0': all,
    ArrowLeft: () => view(a - w / 5, b - w / 5), ArrowRight: () => view(a + w / 5, b + w / 5),
    j: () => pick(Math.min(state.lane + 1, n - 1)), k: () => pick(Math.max(state.lane - 1, 0)),
    n: () => toPin(state.pin + 1), p: () => toPin(state.pin - 1), '/': () => $('search').focus(), Escape: () => pick(-1),
  }[e.key];
  if (does) { e.preventDefault(); does(); }
}

// Fingers and mice: drag moves, a wheel with Ctrl or two fingers zoom, a tap chooses.
function pointers(svg) {
  const down = new Map();
  let from, moved = 0;
  const time = px => { const box = svg.getBoundingClientRect(), left = Math.min(190, Math.round(box.width * 0.32)), [a, b] = state.view; return a + (px - box.left - left) / (box.width - left - 14) * (b - a); };
  const spread = () => { const [p, q] = [...down.values()]; return Math.max(20, Math.abs(p - q)); };
  svg.addEventListener('pointerdown', e => { down.set(e.pointerId, e.clientX); from = { view: state.view, x: e.clientX, wide: down.size === 2 ? spread() : 0 }; moved = 0; });
  svg.addEventListener('pointermove', e => {
    hint(e);
    if (!down.has(e.pointerId)) return;
    down.set(e.pointerId, e.clientX);
    const [a, b] = from.view, box = svg.getBoundingClientRect();
    if (down.size === 2) { const by = from.wide / spread(), mid = (a + b) / 2; moved = 9; return view(mid - (mid - a) * by, mid + (b - mid) * by); }
    moved = Math.max(moved, Math.abs(e.clientX - from.x));
    if (moved > 4) { const d = (from.x - e.clientX) / box.width * (b - a); view(a + d, b + d); }
  });
  const up = e => { down.delete(e.pointerId); };
  for (const name of ['pointerup', 'pointercancel', 'pointerleave']) svg.addEventListener(name, up);
  svg.addEventListener('pointerleave', () => { $('tip').hidden = true; });
  svg.addEventListener('click', e => {
    if (moved > 4) return;
    const pin = e.target.closest('[data-pin]'), lane = e.target.closest('[data-lane]');
    if (pin) toPin(+pin.dataset.pin); else if (lane) pick(+lane.dataset.lane);
  });
  svg.addEventListener('wheel', e => { if (!e.ctrlKey) return; e.preventDefault(); zoom(e.deltaY > 0 ? 1.25 : 0.8, time(e.clientX)); }, { passive: false });
}

function hint(e) {
  let at = e.target;
  while (at && at !== $('lanes') && !tips.get(at)) at = at.parentNode;
  const tip = $('tip'), text = at && tips.get(at);
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  tip.style.left = Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 6) + 'px';
  tip.style.top = Math.min(e.clientY + 14, innerHeight - tip.offsetHeight - 6) + 'px';
}

function legend(now) {
  const used = new Set(now.lanes.flatMap(l => (l.doings || []).map(d => d.k))), list = html('ol'), add = (shape, text) => {
    const item = html('li'), svg = node('svg', { viewBox: '0 0 34 16' });
    svg.append(...shape);
    item.append(svg, html('span', text));
    list.append(item);
  };
  run.kinds.forEach((k, i) => used.has(i) && add([node('rect', { width: 34, height: 16, fill: 'url(#k' + i + ')' })], k.name + ': ' + k.words));
  add([node('rect', { class: 'base', x: 1, y: 1, width: 32, height: 14 })], 'it lived, and nobody looked just then');
  add([node('line', { class: 'blur', x1: 0, x2: 34, y1: 8, y2: 8 })], 'not known more closely, or a zombie');
  add([node('line', { class: 'end', x1: 4, x2: 4, y1: 1, y2: 15 }), node('text', { class: 'small', x: 9, y: 12 }, '0')], 'its end: exit status, or ✕ and the signal');
  add([node('path', { class: 'signal sent', d: 'M4 3h10l-5 9z' }), node('path', { class: 'signal', d: 'M20 3h10l-5 9z' })], 'a signal that the test sent; the checker sent');
  if ((now.holds || []).length) add([node('rect', { class: 'hold', x: 1, y: 1, width: 32, height: 14 })], 'a lock, with who held it');
  $('legend').replaceChildren(html('h2', 'how to read it'), list, html('p', 'What a process was doing is sampled: so at each look. Starts, ends and signals are exact where the picture says so. Keys: arrows move, + and - zoom, 0 all, j and k processes, n and p findings, / find.', 'quiet'));
}

$('title').textContent = run.kata + (run.source ? ' from ' + run.source : '');
$('facts').textContent = [run.platform, run.go, run.race ? 'with the race detector' : 'without the race detector', 'seed ' + run.seed].join(' · ');
run.tests.forEach((t, i) => { const o = html('option', (t.pins || []).map(p => p.code).filter((c, k, l) => l.indexOf(c) === k).concat(t.name).join(' · ')); o.value = i; $('tests').append(o); });
$('tests').addEventListener('change', e => choose(+e.target.value));
$('search').addEventListener('input', () => search(false));
$('search').addEventListener('keydown', e => { if (e.key === 'Enter') search(true); });
$('in').addEventListener('click', () => zoom(0.6));
$('out').addEventListener('click', () => zoom(1 / 0.6));
$('all').addEventListener('click', all);
document.addEventListener('keydown', key);
addEventListener('resize', draw);
pointers($('lanes'));
choose(Math.max(0, run.first || 0));
