"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const body = $("students").tBodies[0], rows = [...body.rows], search = $("search"), filter = $("filter");

  function narrow() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const tags = row.dataset.tags.split(" "), want = filter.value, text = row.dataset.find.toLowerCase();
      const fits = !want || tags.includes(want) || want === "passed" && !["none", "notgraded", "failed"].some((t) => tags.includes(t));
      row.hidden = !(fits && words.every((w) => text.includes(w)));
      shown += !row.hidden;
    }
    $("shown").textContent = `${shown} of ${rows.length} shown`;
  }
  search.addEventListener("input", narrow);
  filter.addEventListener("change", narrow);

  const heads = [...$("students").tHead.rows[0].cells];
  heads.forEach((head, column) => head.addEventListener("click", () => {
    const number = head.classList.contains("number");
    const was = head.getAttribute("aria-sort");
    // Numbers begin with the highest: that is what is looked for.
    const order = was === "none" ? (number ? "descending" : "ascending") : was === "ascending" ? "descending" : "ascending";
    for (const h of heads) h.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1, value = (row) => row.cells[column].dataset.value;
    rows.sort((a, b) => sign * (number ? value(a) - value(b) : value(a).localeCompare(value(b))) || a.dataset.student - b.dataset.student);
    body.append(...rows);
  }));

  let from = null; // the link that a student's page was opened by
  function route() {
    const page = /^#student-\d+$/.test(location.hash) && $(location.hash.slice(1));
    for (const m of document.querySelectorAll("main")) m.hidden = m !== (page || $("overview"));
    if (page) {
      page.querySelector("h2").focus();
      scrollTo(0, 0);
    } else if (from) {
      from.focus();
    }
  }
  addEventListener("hashchange", route);
  body.addEventListener("click", (e) => {
    const link = e.target.closest("tr")?.querySelector("a");
    if (!link) return;
    from = link;
    if (!e.target.closest("a")) location.hash = link.hash;
  });

  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const typing = e.target === search || e.target === filter;
    if (e.key === "Escape") {
      if (location.hash.length > 1) location.hash = "";
      else if (typing) e.target.blur();
    } else if (typing || $("overview").hidden) {
      return;
    } else if (e.key === "/") {
      e.preventDefault();
      search.focus();
    } else if (e.key === "j" || e.key === "k") {
      const links = rows.filter((r) => !r.hidden).map((r) => r.querySelector("a"));
      const at = links.indexOf(document.activeElement);
      links[e.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0)]?.focus();
    }
  });
  narrow();
  route();
})();
