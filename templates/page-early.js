// Before the first paint: the reader's language and colours of last time, else the browser's language;
// contents where there is room.
const preferred = { mode: navigator.language.startsWith("zh") ? "zh" : "en" };
for (const name of ["mode", "theme"]) {
  try { preferred[name] = localStorage.getItem(`report.${name}`) ?? preferred[name]; } catch { /* no storage */ }
  const input = document.getElementById(`${name}-${preferred[name]}`);
  if (input) input.checked = true;
}
for (const details of document.querySelectorAll(".contents > details")) {
  details.open = matchMedia("(min-width: 70rem)").matches && !document.getElementById("mode-both").checked;
}
