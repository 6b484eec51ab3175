// The wait-for graph: those of the circle around it, in their order, others within.
function drawGraph(box, graph) {
  box.replaceChildren();
  if (!graph) return;
  const most = 14, shown = graph.nodes.slice(0, Math.max(most, graph.circle)), n = shown.length, r = n > 8 ? 125 : 95, cx = 165, cy = r + 34;
  const round = graph.circle || n;
  const ring = (i, of, far) => of === 1 && far < r ? [cx, cy] : [cx + far * Math.sin(2 * Math.PI * i / of), cy - far * Math.cos(2 * Math.PI * i / of)];
  const at = i => i < round ? ring(i, round, r) : ring(i - round, n - round, r * 0.45);
  box.append(html('h2', graph.circle ? 'a circle of waits' : 'who waits for whom'));
  if (graph.expected) box.append(html('p', 'the test had asked for it', 'quiet'));
  if (graph.partial) box.append(html('p', 'these wait for each other; others went on', 'quiet'));
  const svg = node('svg', { viewBox: '0 0 330 ' + (2 * r + 68), role: 'img', 'aria-label': 'wait-for graph' });
  for (const e of graph.edges) {
    if (e.from >= n || e.to >= n) continue;
    const [x1, y1] = at(e.from), [x2, y2] = at(e.to), d = Math.hypot(x2 - x1, y2 - y1) || 1, ux = (x2 - x1) / d, uy = (y2 - y1) / d;
    const circle = e.from < graph.circle && e.to === (e.from + 1) % graph.circle ? ' circle' : '';
    const tx = x2 - 24 * ux, ty = y2 - 24 * uy;
    const path = e.from === e.to ? 'M' + (x1 + 8) + ' ' + (y1 - 20) + 'c20 -26 34 4 12 14' : 'M' + (x1 + 22 * ux) + ' ' + (y1 + 22 * uy) + 'L' + tx + ' ' + ty;
    svg.append(node('path', { class: 'edge' + circle, d: path }));
    if (e.from !== e.to) svg.append(node('path', { class: 'edgehead' + circle, d: 'M' + (tx + 6 * ux) + ' ' + (ty + 6 * uy) + 'L' + (tx - 5 * uy) + ' ' + (ty + 5 * ux) + 'L' + (tx + 5 * uy) + ' ' + (ty - 5 * ux) + 'z' }));
  }
  shown.forEach((v, i) => {
    const [x, y] = at(i);
    svg.append(node('circle', { class: 'node' + (i < graph.circle ? ' circle' : ''), cx: x, cy: y, r: 21 }), node('text', { class: 'mid small', x, y: y + 4 }, v.pid));
  });
  const beside = html('div');
  box.append(beside);
  const list = html('ol');
  for (const v of graph.nodes.slice(0, 40)) {
    const item = html('li');
    item.append(html('div', v.pid + ' ' + v.name + (v.for ? ' waits for ' + v.for : ''))); 
    if (v.place) item.append(html('code', v.place + (v.source ? '   ' + v.source : '')));
    list.append(item);
  }
  beside.append(svg, list);
  if (graph.nodes.length > 40) box.append(html('p', 'and ' + (graph.nodes.length - 40) + ' more', 'quiet'));
}
