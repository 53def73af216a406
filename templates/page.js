"use strict";
(() => {
  const root = document.documentElement;
  const tip = document.getElementById("tip");
  const texts = JSON.parse(document.getElementById("labels").textContent);
  const wide = matchMedia("(min-width: 70rem)");
  const mode = () => document.querySelector("#modes input:checked").value;
  const hidden = (element) => element.getClientRects().length === 0;

  // --- Language and colours ----------------------------------------------------------------
  function remember(name, value) {
    try { localStorage.setItem(`report.${name}`, value); } catch { /* not remembered */ }
  }

  // The same place in the other language: ids differ by their prefix only.
  function counterpart(id) {
    const other = { zh: "en", en: "zh" }[id.slice(0, 2)];
    return other && document.getElementById(other + id.slice(2));
  }

  function reading() {
    const anchors = document.querySelectorAll(".col [id]");
    let last = null;
    for (const anchor of anchors) {
      if (hidden(anchor)) continue;
      if (anchor.getBoundingClientRect().top > innerHeight * 0.3) break;
      last = anchor;
    }
    return last && { id: last.id, top: last.getBoundingClientRect().top };
  }

  function adapt() {
    const now = mode();
    root.lang = now === "en" ? "en" : "zh-Hans";
    for (const details of document.querySelectorAll(".contents > details")) {
      details.open = wide.matches && now !== "both";
    }
  }

  let place = null;
  document.getElementById("modes").addEventListener("pointerdown", () => { place = reading(); });
  document.getElementById("modes").addEventListener("keydown", () => { place = reading(); });
  document.getElementById("modes").addEventListener("change", () => {
    remember("mode", mode());
    adapt();
    if (!place) return;
    let target = document.getElementById(place.id);
    if (hidden(target)) target = counterpart(place.id);
    if (target) scrollBy({ top: target.getBoundingClientRect().top - place.top, behavior: "instant" });
  });
  document.getElementById("themes").addEventListener("change", (event) => {
    remember("theme", event.target.value);
  });
  wide.addEventListener("change", adapt);
  adapt();

  // --- Links into a hidden language or a folded table --------------------------------------
  function reveal() {
    const id = decodeURIComponent(location.hash.slice(1));
    let target = id && document.getElementById(id);
    if (!target) return;
    if (hidden(target)) {
      const other = counterpart(id);
      if (other && !hidden(other)) target = other;
      else document.getElementById(`mode-${id.slice(0, 2)}`)?.click();
    }
    const folded = target.closest("details");
    if (folded) folded.open = true;
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();

  // --- Cards are built when they are opened ------------------------------------------------
  document.addEventListener("toggle", (event) => {
    const content = event.target.querySelector?.(":scope > template");
    if (content) content.replaceWith(content.content);
  }, true);

  // --- Contents: where the reader is -------------------------------------------------------
  const links = new Map();
  for (const link of document.querySelectorAll(".contents a")) {
    links.set(decodeURIComponent(link.hash.slice(1)), link);
  }
  const headings = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  let waiting = false;
  function follow() {
    waiting = false;
    const current = {};
    for (const heading of headings) {
      if (hidden(heading)) continue;
      const lang = heading.id.slice(0, 2);
      if (!current[lang] || heading.getBoundingClientRect().top < 160) current[lang] = heading.id;
    }
    for (const [id, link] of links) {
      const here = Object.values(current).includes(id);
      link.classList.toggle("here", here);
      if (here) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
    for (const item of document.querySelectorAll(".contents > details > ol > li")) {
      item.classList.toggle("here", item.querySelector("a.here") !== null);
    }
  }
  addEventListener("scroll", () => {
    if (!waiting) { waiting = true; requestAnimationFrame(follow); }
  }, { passive: true });
  follow();

  // --- Numbers: which record and field they come from --------------------------------------
  let shown = null;
  function describe(link) {
    const lang = link.closest("[lang]").lang.slice(0, 2);
    const words = texts[lang];
    const sources = (link.querySelector("data").dataset.source || "").split("; ");
    tip.lang = link.closest("[lang]").lang;
    tip.replaceChildren();
    const line = (...nodes) => {
      const paragraph = document.createElement("p");
      paragraph.append(...nodes);
      tip.append(paragraph);
    };
    const bold = document.createElement("b");
    bold.textContent = sources.length > 1 ? words.tip_derived : words.tip_record;
    line(bold);
    for (const source of sources.slice(0, 6)) {
      const cut = source.indexOf(" ");
      const code = document.createElement("code");
      code.textContent = `${source.slice(0, cut)}.json → ${source.slice(cut + 1)}`;
      line(code);
    }
    if (sources.length > 6) line(words.tip_more.replace("{count}", sources.length - 6));
  }
  function show(link, withLink) {
    hide();
    describe(link);
    if (withLink) {
      const lang = link.closest("[lang]").lang.slice(0, 2);
      const card = document.createElement("a");
      card.href = link.getAttribute("href");
      card.textContent = texts[lang].tip_card;
      const paragraph = document.createElement("p");
      paragraph.append(card);
      tip.append(paragraph);
    }
    tip.hidden = false;
    const box = link.getBoundingClientRect();
    const size = tip.getBoundingClientRect();
    const left = Math.min(Math.max(box.left, 16), Math.max(16, root.clientWidth - size.width - 16));
    const above = box.top - size.height - 8;
    const top = above > 56 ? above : box.bottom + 8;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${top + scrollY}px`;
    link.setAttribute("aria-describedby", "tip");
    shown = link;
  }
  function hide() {
    if (shown) shown.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
  }
  const numberOf = (event) => event.target.closest?.("a.n");
  let touched = false;
  let leaving = 0;
  document.addEventListener("pointerdown", (event) => { touched = event.pointerType !== "mouse"; });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const link = numberOf(event);
    if (link || tip.contains(event.target)) clearTimeout(leaving);
    if (link && link !== shown) show(link, false);
  });
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "mouse") return;
    if (numberOf(event) || tip.contains(event.target)) leaving = setTimeout(hide, 250);
  });
  document.addEventListener("focusin", (event) => {
    const link = numberOf(event);
    if (link && !touched) show(link, false);
    else if (!link && !tip.contains(event.target)) hide();
  });
  document.addEventListener("click", (event) => {
    const link = numberOf(event);
    if (link && touched && link !== shown) { // a tap shows where it comes from, a second one goes there
      event.preventDefault();
      show(link, true);
    } else if (!tip.contains(event.target) || event.target.closest("a")) {
      hide();
    }
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // --- What scrolls sideways can be reached from the keyboard ------------------------------
  function reachable() {
    for (const box of document.querySelectorAll(".scroll, .art, .col > table, pre:not(.layers)")) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }
  addEventListener("resize", reachable);
  document.getElementById("modes").addEventListener("change", reachable);
  reachable();
})();
