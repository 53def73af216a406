// Before the first paint: the reader's language and colours of last time.
for (const name of ["mode", "theme"]) {
  try {
    const input = document.getElementById(`${name}-${localStorage.getItem(`report.${name}`)}`);
    if (input) input.checked = true;
  } catch { /* no storage: the defaults stay */ }
}
