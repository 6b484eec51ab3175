// The lanes: one row a process, the locks below. Drawn anew for each view, so that lines
// and letters keep their size however far one has zoomed in.
const SVG = 'http://www.w3.org/2000/svg';

// node makes an element of the picture. Text goes in as text and nothing else.
function node(name, attributes, text) {
  const e = document.createElementNS(SVG, name);
  for (const key in attributes || {}) if (attributes[key] !== undefined) e.setAttribute(key, attributes[key]);
  if (text !== undefined) e.textContent = text;
  return e;
}

function seconds(s) {
  if (s === 0) return '0';
  if (s >= 1) return s.toFixed(s >= 10 ? 1 : 2) + ' s';
  return (s * 1000).toFixed(s < 0.01 ? 2 : 0) + ' ms';
}

// A kind is told by colour, by pattern, by its word where there is room, and by the tip.
const HATCH = ['', 'M0 0l8 8M8 0l-8 8', 'M0 8l8 -8', 'M0 4h8', 'M4 0v8', 'M0 4h8M4 0v8', 'M0 0l8 8', 'M2 2h1M6 6h1', 'M0 2h8M0 6h8', 'M2 0v8M6 0v8', 'M4 4h1', ''];

function patterns(prefix) {
  const defs = node('defs');
  HATCH.forEach((d, k) => {
    const p = node('pattern', { id: prefix + k, width: 8, height: 8, patternUnits: 'userSpaceOnUse' });
    p.append(node('rect', { class: 'c' + k, width: 8, height: 8 }), node('path', { class: 'hatch', d }));
    defs.append(p);
  });
  return defs;
}

function ended(lane, test) { return lane.ended ? lane.ended[1] : test.seconds; }

function laneName(lane) { return lane.pid + ' ' + (lane.test ? 'the test' : lane.name); }

// laneTip is all that is known of a process, in words: [what, text] a line.
function laneWords(run, test, lane) {
  const span = ([a, b]) => a === b ? seconds(b) : 'between ' + seconds(a) + ' and ' + seconds(b);
  const rows = [['process', lane.pid + ' ' + lane.name]];
  if (lane.parent >= 0) rows.push(['started by', laneName(test.lanes[lane.parent])]);
  rows.push(['started', span(lane.began)]);
  if (lane.ready) rows.push(['its own code began', seconds(lane.ready) + ' (exact)']);
  rows.push(['ended', lane.ended ? span(lane.ended) + (lane.ended[0] === lane.ended[1] ? ' (exact)' : '') : 'not before the end of this picture']);
  if (lane.exit) rows.push(['how', lane.exit]);
  if (lane.zombie) rows.push(['collected', 'never seen: it stayed a zombie']);
  if (lane.adopted !== undefined) rows.push(['orphaned', 'its parent had ended at ' + seconds(lane.adopted)]);
  const looks = {};
  for (const d of lane.doings || []) { const w = run.kinds[d.k].name + (d.w ? ' ' + d.w : ''); looks[w] = (looks[w] || 0) + (d.b - d.a); }
  const most = Object.entries(looks).sort((a, b) => b[1] - a[1]).slice(0, 6);
  for (const [what, s] of most) rows.push(['seen', what + (s > 0 ? ' for ' + seconds(s) : ' once')]);
  return rows;
}

function drawLanes(svg, run, test, state, tip) {
  const width = svg.clientWidth || 800, row = 26, top = 46, left = Math.min(190, Math.round(width * 0.32));
  const locks = [...new Set((test.holds || []).map(h => h.lock))];
  const below = top + test.lanes.length * row, height = below + (locks.length ? 26 + locks.length * row : 0) + 12;
  const [a, b] = state.view, x = t => left + (t - a) / (b - a) * (width - left - 14), y = i => top + i * row;
  svg.replaceChildren(patterns('k'));
  svg.setAttribute('height', height);
  svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
  const clip = node('clipPath', { id: 'plot' });
  clip.append(node('rect', { x: left, y: 0, width: Math.max(0, width - left), height }));
  const plot = node('g', { 'clip-path': 'url(#plot)' }), front = node('g', { 'clip-path': 'url(#plot)' }), names = node('g');
  svg.append(clip, names, plot, front);
  const say = (e, text) => { tip.set(e, text); return e; };

  // the axis
  const step = [1, 2, 5].flatMap(m => [-5, -4, -3, -2, -1, 0, 1, 2].map(p => m * 10 ** p)).sort((p, q) => p - q).find(s => (b - a) / s <= Math.max(2, (width - left) / 90)) || 100;
  for (let t = Math.ceil(a / step) * step; t <= b; t += step) {
    plot.append(node('line', { class: 'grid', x1: x(t), x2: x(t), y1: 18, y2: height }));
    if (x(t) + 44 < width) plot.append(node('text', { class: 'dim small', x: x(t) + 3, y: 14 }, seconds(Math.max(0, t))));
  }

  test.lanes.forEach((lane, i) => {
    const g = node('g', { class: state.found(lane) ? '' : 'away', 'data-lane': i });
    const back = node('rect', { class: 'lane' + (state.lane === i ? ' chosen' : ''), x: 0, y: y(i), width, height: row, 'data-lane': i });
    names.append(say(back, ''));
    const label = '·'.repeat(lane.depth) + (lane.depth ? ' ' : '') + laneName(lane), room = Math.floor((left - 8) / 6.6);
    names.append(node('text', { x: 4, y: y(i) + 17, 'data-lane': i, class: state.found(lane) ? '' : 'away' }, label.length > room ? label.slice(0, room - 1) + '…' : label));
    const from = lane.began[1], to = Math.max(from, lane.ended ? lane.ended[0] : test.seconds), end = ended(lane, test);
    if (lane.began[0] < from) g.append(say(node('line', { class: 'blur', x1: x(lane.began[0]), x2: x(from), y1: y(i) + 13, y2: y(i) + 13 }), 'started some time here'));
    const words = laneWords(run, test, lane).map(r => r.join(': ')).join('\n');
    g.append(say(node('rect', { class: 'base life', x: x(from), y: y(i) + 5, width: Math.max(2, x(to) - x(from)), height: 16, rx: 2 }), words + '\n(light: nobody looked just then)'));
    if (end > to) g.append(say(node('rect', { class: 'blur', x: x(to), y: y(i) + 7, width: Math.max(1, x(end) - x(to)), height: 12 }), 'ended some time here'));
    for (const d of lane.doings || []) {
      const w = Math.max(3, x(d.b) - x(d.a));
      if (x(d.a) + w < left || x(d.a) > width) continue;
      const kind = run.kinds[d.k];
      g.append(say(node('rect', { class: 'doing', x: x(d.a), y: y(i) + 5, width: w, height: 16, fill: 'url(#k' + d.k + ')' }), laneName(lane) + '\n' + kind.name + ': ' + kind.words + (d.w ? '\n' + d.w : '') + '\nsampled: so at every look from ' + seconds(d.a) + ' to ' + seconds(d.b)));
      if (w > 8 * kind.name.length) g.append(node('text', { class: 'small', x: Math.max(x(d.a), left) + 4, y: y(i) + 17, 'pointer-events': 'none' }, kind.name));
    }
    if (lane.parent >= 0) {
      const py = y(lane.parent) + 21, cx = x(from), cy = y(i) + 5;
      g.append(say(node('path', { class: 'arrow start', d: 'M' + cx + ' ' + py + 'V' + (cy - 3) }), laneName(test.lanes[lane.parent]) + ' started ' + laneName(lane)));
      g.append(node('path', { class: 'head', d: 'M' + (cx - 3) + ' ' + (cy - 5) + 'h6l-3 6z' }));
    }
    if (lane.ended) {
      g.append(node('line', { class: 'end', x1: x(end), x2: x(end), y1: y(i) + 3, y2: y(i) + 23 }));
      const how = (lane.exit || '').replace('exit status ', '').replace('signal: ', '✕ ');
      const fits = x(end) + 8 + 7 * how.length < width;
      if (how) g.append(say(node('text', { class: 'small exit', x: x(end) + (fits ? 4 : -5), y: y(i) + 17, 'text-anchor': fits ? 'start' : 'end' }, how), lane.exit));
      if (lane.zombie) g.append(say(node('line', { class: 'blur', x1: x(end), x2: x(test.seconds), y1: y(i) + 13, y2: y(i) + 13 }), 'ended, and not collected: a zombie'));
    } else {
      g.append(node('path', { class: 'head', d: 'M' + x(end) + ' ' + (y(i) + 8) + 'l7 5l-7 5z' }));
    }
    plot.append(g);
  });

  // the locks, each with its holder
  if (locks.length) names.append(node('text', { class: 'dim small', x: 4, y: below + 18 }, 'locks on files'));
  locks.forEach((lock, i) => {
    const ly = below + 24 + i * row, base = lock.slice(lock.lastIndexOf('/') + 1);
    names.append(say(node('text', { x: 4, y: ly + 16 }, base.length > 24 ? base.slice(0, 23) + '…' : base), lock));
    for (const h of test.holds.filter(h => h.lock === lock)) {
      const w = Math.max(3, x(h.b) - x(h.a));
      plot.append(say(node('rect', { class: 'hold', x: x(h.a), y: ly + 4, width: w, height: 16 }), lock + '\nheld by ' + h.pid + ' at every look from ' + seconds(h.a) + ' to ' + seconds(h.b)));
      if (w > 44) plot.append(node('text', { class: 'small', x: Math.max(x(h.a), left) + 4, y: ly + 16, 'pointer-events': 'none' }, h.pid));
    }
  });

  // what happened at one moment
  const laneOf = pid => test.lanes.findLastIndex(l => l.pid === pid);
  for (const m of test.marks || []) {
    const i = laneOf(m.pid);
    if ((m.kind === 'signal' || m.kind === 'sent') && i >= 0) {
      front.append(node('line', { class: 'arrow', x1: x(m.at), x2: x(m.at), y1: m.kind === 'sent' ? y(0) + 13 : 22, y2: y(i) }), say(node('path', { class: 'signal ' + m.kind, d: 'M' + (x(m.at) - 5) + ' ' + (y(i) - 4) + 'h10l-5 9z' }), seconds(m.at) + ': ' + m.words));
    } else if (m.kind !== 'signal' && m.kind !== 'sent') {
      front.append(say(node('line', { class: 'mark ' + m.kind, x1: x(m.at), x2: x(m.at), y1: 18, y2: below }), seconds(m.at) + ': ' + m.words));
    }
  }
  (test.pins || []).forEach((p, n) => {
    const i = laneOf(p.pid), py = i >= 0 ? y(i) + 13 : 30, px = Math.min(Math.max(x(p.at), left + 10), width - 12) - (i >= 0 ? 0 : 20 * (n % 8));
    const g = say(node('g', { class: 'pinned', 'data-pin': n }), p.code + ': ' + p.message + '\n' + (p.exact ? 'at ' : 'seen at ') + seconds(p.at));
    g.append(node('circle', { class: 'pin', cx: px, cy: py, r: 9 }), node('text', { class: 'pintext', x: px, y: py + 4 }, n + 1));
    front.append(g);
  });
}
