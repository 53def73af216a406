"use strict";
(() => {
  const root = document.documentElement;
  const tip = document.getElementById("tip");
  const data = (id) => JSON.parse(document.getElementById(id).textContent);
  const texts = data("labels");
  const sources = data("sources");
  const wide = matchMedia("(min-width: 70rem)");
  const mode = () => document.querySelector("#modes input:checked").value;
  const hidden = (element) => element.getClientRects().length === 0;
  const langOf = (element) => element.closest("[lang]").lang.slice(0, 2);

  // --- Language and colours ----------------------------------------------------------------
  function remember(name, value) {
    try { localStorage.setItem(`report.${name}`, value); } catch { /* not remembered */ }
  }

  // The same place in the other language: ids differ by their prefix only.
  function counterpart(id) {
    const other = { zh: "en", en: "zh" }[id.slice(0, 2)];
    return other && document.getElementById(other + id.slice(2));
  }

  // The row of both languages that is read, without measuring any other.
  function rowAt(height) {
    const left = document.getElementById("text").getBoundingClientRect().left + 24;
    for (let y = height; y < innerHeight; y += 24) {
      const row = document.elementFromPoint(left, y)?.closest(".row");
      if (row) return row;
    }
    return null;
  }

  function reading() {
    const row = rowAt(innerHeight * 0.3);
    if (!row) return null;
    const anchors = [...row.querySelectorAll(".col [id]:not(svg *)")].filter((anchor) => !hidden(anchor));
    const above = anchors.filter((anchor) => anchor.getBoundingClientRect().top < innerHeight * 0.3);
    const place = above.at(-1) ?? row;
    return { place, top: place.getBoundingClientRect().top };
  }

  function adapt() {
    const now = mode();
    root.lang = now === "en" ? "en" : "zh-Hans";
    for (const details of document.querySelectorAll(".contents > details")) {
      details.open = wide.matches && now !== "both";
    }
  }

  let read = null;
  for (const event of ["pointerdown", "keydown"]) {
    document.getElementById("modes").addEventListener(event, () => { read = reading(); });
  }
  document.getElementById("modes").addEventListener("change", () => {
    remember("mode", mode());
    adapt();
    if (!read) return;
    let target = read.place;
    if (hidden(target)) target = counterpart(target.id) ?? target.closest(".row");
    scrollBy({ top: target.getBoundingClientRect().top - read.top, behavior: "instant" });
  });
  document.getElementById("themes").addEventListener("change", (event) => {
    remember("theme", event.target.value);
  });
  wide.addEventListener("change", adapt);
  adapt();

  // --- Numbers are links by the hundred: the Tab key passes them by, unless the reader wants them ---
  const tabNumbers = document.getElementById("tab-numbers");
  function stopAtNumbers(on) {
    tabNumbers.ariaPressed = on;
    for (const link of document.querySelectorAll("a.n")) link.tabIndex = on ? 0 : -1;
  }
  tabNumbers.addEventListener("click", () => stopAtNumbers(tabNumbers.ariaPressed !== "true"));
  tabNumbers.hidden = false;
  stopAtNumbers(false);

  // --- Cards are built when they are opened ------------------------------------------------
  function build(card) {
    const content = card.querySelector(":scope > template");
    if (content) content.replaceWith(content.content);
  }
  document.addEventListener("toggle", (event) => {
    build(event.target);
    if (event.target.matches(".explorer") && event.target.childElementCount === 1) explore(event.target);
  }, true);

  // --- Links into a hidden language or what is folded --------------------------------------
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
    if (folded) {
      folded.open = true;
      build(folded);
    }
    target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();

  // --- Contents: where the reader is -------------------------------------------------------
  const links = new Map();
  for (const link of document.querySelectorAll(".contents a")) {
    links.set(decodeURIComponent(link.hash.slice(1)), link);
  }
  const headings = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const before = Node.DOCUMENT_POSITION_PRECEDING;
  let waiting = false;
  function follow() {
    waiting = false;
    const row = rowAt(160);
    const current = {};
    for (const heading of headings) {
      const lang = heading.id.slice(0, 2);
      const passed = row?.contains(heading)
        ? heading.getBoundingClientRect().top < 160
        : row?.compareDocumentPosition(heading) & before;
      if (passed || !current[lang]) current[lang] = heading.id;
    }
    for (const [id, link] of links) {
      const here = Object.values(current).includes(id);
      if (link.classList.contains("here") === here) continue;
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

  // --- What a link leads to: the sources of a number, a figure, a table, a work --------------
  let shown = null;
  function line(...nodes) {
    const paragraph = document.createElement("p");
    paragraph.append(...nodes);
    tip.append(paragraph);
  }
  function styled(tag, text) {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }

  // "ResNet18.s0…s4 test.accuracy": what the runs' card says of that field.
  function values(source, lang) {
    const [, network, first, last = first, field] = source.match(/^(.*)\.s(\d+)(?:…s(\d+))? (.*)$/) ?? [];
    const card = network && document.getElementById(`${lang}-run-${network}`);
    const within = card && (card.querySelector(":scope > template")?.content ?? card);
    const found = [];
    for (let seed = Number(first); within && seed <= Number(last); seed += 1) {
      const index = sources.indexOf(`${network}.s${seed} ${field}`);
      const number = index < 0 ? null : within.querySelector(`[data-source="${index}"]`);
      if (number) found.push(number.textContent);
    }
    return found.length ? `: ${found.join(", ")}` : "";
  }
  function describe(link) {
    const lang = langOf(link);
    const index = link.dataset.source;
    const named = index === undefined ? [] : sources[index].split("; ");
    const several = named.length > 1 || named[0]?.includes("…");
    line(styled("b", several ? texts[lang].tip_derived : texts[lang].tip_record));
    for (const source of named.slice(0, 6)) line(styled("code", source), values(source, lang));
    if (named.length > 6) line(texts[lang].tip_more.replace("{count}", named.length - 6));
  }
  function preview(link) {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!target?.matches("figure, .equation, .works li, h2, h3")) return false;
    const copy = target.cloneNode(true);
    copy.removeAttribute("id");
    for (const element of copy.querySelectorAll(".data")) element.remove();
    tip.append(copy);
    // a drawing refers to its parts by their ids, which the original keeps
    for (const element of copy.querySelectorAll("[id]:not(svg *)")) element.removeAttribute("id");
    return true;
  }
  function show(link, withLink) {
    hide();
    tip.replaceChildren();
    tip.lang = link.closest("[lang]").lang;
    const ofNumber = link.matches(".n");
    tip.classList.toggle("preview", !ofNumber);
    if (ofNumber) describe(link);
    else if (!preview(link)) return;
    if (withLink) {
      const card = styled("a", texts[langOf(link)].tip_card);
      card.href = link.getAttribute("href");
      line(card);
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
  const linkOf = (event) => event.target.closest?.("main :is(a.n, a.ref, a.cite)");
  let touched = false;
  let leaving = 0;
  document.addEventListener("pointerdown", (event) => { touched = event.pointerType !== "mouse"; });
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const link = linkOf(event);
    if (link || tip.contains(event.target)) clearTimeout(leaving);
    if (link && link !== shown) show(link, false);
  });
  document.addEventListener("pointerout", (event) => {
    if (event.pointerType !== "mouse") return;
    if (linkOf(event) || tip.contains(event.target)) leaving = setTimeout(hide, 250);
  });
  document.addEventListener("focusin", (event) => {
    const link = linkOf(event);
    if (link && !touched) show(link, false);
    else if (!link && !tip.contains(event.target)) hide();
  });
  document.addEventListener("click", (event) => {
    const link = linkOf(event);
    if (link?.matches(".n") && touched && link !== shown) {
      event.preventDefault(); // a tap shows where it comes from, a second one goes there
      show(link, true);
    } else if (!tip.contains(event.target) || event.target.closest("a")) {
      hide();
    }
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // --- The images that a network misreads: choose the network, then a cell of its confusions --
  function fill(text, given) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => given[name] ?? whole);
  }
  function explore(box) {
    const lang = langOf(box);
    const words = texts[lang];
    const { truth, shown, row, networks, classes, image: bitmap } = data("misread");
    const names = classes[lang];
    const places = new Map(shown.map((image, at) => [image, at]));
    root.style.setProperty("--misread", `url(data:image/png;base64,${bitmap})`);
    root.style.setProperty("--row", row);
    const label = styled("label", `${words.explorer_network} `);
    const choice = document.createElement("select");
    networks.forEach(({ title }, at) => choice.add(new Option(title || words.explorer_all, at)));
    label.append(choice);
    const matrix = document.createElement("table");
    const frame = document.createElement("div");
    frame.className = "scroll";
    frame.append(matrix);
    const list = document.createElement("ul");
    list.setAttribute("aria-live", "polite");
    list.tabIndex = 0; // it scrolls
    box.append(label, frame, list);

    function images(found, runs) {
      const most = 60;
      list.replaceChildren(...found.slice(0, most).map(([image, taken, count]) => {
        const item = document.createElement("li");
        const given = { image, count, runs, true: names[truth[image]], taken: names[taken] };
        const picture = document.createElement("span");
        const at = places.get(image);
        picture.role = "img";
        picture.ariaLabel = picture.title = fill(words.explorer_image, given);
        if (at === undefined) picture.textContent = `#${image}`;
        else picture.style.backgroundPosition = `${-56 * (at % row)}px ${-56 * Math.floor(at / row)}px`;
        item.append(picture, `${given.true} → ${given.taken}`, document.createElement("br"), `${count}/${runs}`);
        return item;
      }));
      if (found.length > most) list.append(styled("li", fill(words.explorer_more, { count: found.length - most })));
    }
    function draw() {
      const { images: wrong, runs } = networks[choice.value];
      const found = wrong.toSorted((one, other) => other[2] - one[2]);
      const head = document.createElement("thead").insertRow();
      head.append(styled("td", `${words.explorer_true} ↓ ${words.explorer_predicted} →`));
      for (const name of names) head.append(Object.assign(styled("th", name), { scope: "col" }));
      const rows = names.map((name, from) => {
        const line = document.createElement("tr");
        line.append(Object.assign(styled("th", name), { scope: "row" }));
        names.forEach((taken, to) => {
          const here = found.filter((each) => truth[each[0]] === from && each[1] === to);
          const cell = line.insertCell();
          if (!here.length) return;
          const button = styled("button", here.length);
          button.ariaLabel = fill(words.explorer_cell, { true: name, taken, count: here.length });
          button.addEventListener("click", () => {
            matrix.querySelector("[aria-pressed]")?.removeAttribute("aria-pressed");
            button.ariaPressed = "true";
            images(here, runs);
          });
          cell.append(button);
        });
        return line;
      });
      const body = document.createElement("tbody");
      body.append(...rows);
      matrix.replaceChildren(head.parentElement, body);
      images(found, runs);
    }
    choice.addEventListener("change", draw);
    draw();
  }

  // --- What scrolls sideways can be reached from the keyboard ------------------------------
  const boxes = document.querySelectorAll(".scroll, .col > table, pre:not(.layers)");
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const over = target.scrollWidth > target.clientWidth + 1;
      if (over) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
      target.classList.toggle("over", over);
    }
  });
  for (const box of boxes) watch.observe(box);
})();
