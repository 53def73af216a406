// Before the first paint: the reader's language and colours of last time, contents where there is room.
for (const name of ["mode", "theme"]) {
  try {
    const input = document.getElementById(`${name}-${localStorage.getItem(`report.${name}`)}`);
    if (input) input.checked = true;
  } catch { /* no storage: the defaults stay */ }
}
for (const details of document.querySelectorAll(".contents > details")) {
  details.open = matchMedia("(min-width: 70rem)").matches && !document.getElementById("mode-both").checked;
}
