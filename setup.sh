#!/bin/sh
# Install what is missing, once: system libraries (apt or brew), .venv, the locked packages.
# `setup.sh dev` also installs what the tests need. Installs nothing that is there already.
set -eu
cd "$(dirname "$0")"
kind=${1:-run}

fail() {
    echo "error: $1" >&2
    exit 2
}

# --- Python ---------------------------------------------------------------------------------------
python=""
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3 ..."

# --- System libraries -------------------------------------------------------------------------------
library() { (ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null) | grep -q "$1"; }
font() { command -v fc-list >/dev/null && [ -n "$(fc-list "$1" 2>/dev/null)" ]; }

missing_debian() {
    library libpango-1.0.so.0 || echo libpango-1.0-0
    library libpangoft2-1.0.so.0 || echo libpangoft2-1.0-0
    # WeasyPrint subsets fonts in C with it, ten times as fast; older releases have it in harfbuzz.
    library libharfbuzz-subset.so.0 || echo libharfbuzz-subset0
    font "Noto Sans CJK SC" || echo fonts-noto-cjk
    font "TeX Gyre Pagella" || echo fonts-texgyre
    command -v fc-list >/dev/null || echo fontconfig
    "$python" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    if [ "$kind" = dev ]; then
        command -v chromium >/dev/null || command -v chromium-browser >/dev/null || echo chromium
    fi
}

case $(uname -s) in
Linux)
    packages=$(missing_debian | tr '\n' ' ')
    if [ -n "$packages" ]; then
        command -v apt-get >/dev/null || fail "install the equivalents of: $packages"
        if [ "$(id -u)" = 0 ]; then
            sudo=""
        elif sudo -n true 2>/dev/null; then
            sudo="sudo -n"
        else
            fail "system packages are missing; type: sudo apt-get install $packages"
        fi
        echo "installing $packages"
        log=$(mktemp)
        if ! { $sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qy \
            --no-install-recommends $packages; } >"$log" 2>&1; then
            tail -n 3 "$log" >&2
            fail "apt-get could not install $packages"
        fi
        rm -f "$log"
    fi
    ;;
Darwin)
    missing=""
    for formula in pango fontconfig; do
        brew list "$formula" >/dev/null 2>&1 || missing="$missing $formula"
    done
    font "Noto Sans CJK SC" || missing="$missing font-noto-sans-cjk-sc font-noto-serif-cjk-sc"
    font "TeX Gyre Pagella" || missing="$missing font-tex-gyre-pagella"
    [ -z "$missing" ] || fail "system packages are missing; type: brew install$missing"
    ;;
esac

# --- Python packages --------------------------------------------------------------------------------
# The locks pin what was tested on Linux, by hash: another file of the same name is refused.
# Elsewhere pyproject.toml's ranges are installed.
if [ "$kind" = dev ]; then lock=requirements-dev.lock extras=report,ray,dev; else lock=requirements.lock extras=report; fi
stamp=$(cat "$lock" pyproject.toml | cksum)
[ "$(cat .venv/installed-$kind 2>/dev/null)" = "$stamp" ] && exit 0
if [ "$kind" = run ]; then # what the tests need includes it
    dev_stamp=$(cat requirements-dev.lock pyproject.toml | cksum)
    [ "$(cat .venv/installed-dev 2>/dev/null)" = "$dev_stamp" ] && exit 0
fi
[ -x .venv/bin/python ] || "$python" -m venv .venv
echo "installing Python packages into .venv (torch is large: minutes the first time)"
if [ "$(uname -s)" = Linux ] && [ "$(uname -m)" = x86_64 ]; then
    .venv/bin/python -m pip install -q --no-compile --disable-pip-version-check --require-hashes -r "$lock"
else
    .venv/bin/python -m pip install -q --no-compile --disable-pip-version-check ".[$extras]"
fi || fail "pip could not install the packages; see above"
# pip would compile the packages' own tests too, and on one core: a minute more. Python compiles what
# is left out here when it is first imported; a package's template that is no Python is no error.
.venv/bin/python -m compileall -qq -j 0 -x '/(tests|ray|sympy|networkx)/' .venv/lib/python*/site-packages || true
echo "$stamp" >".venv/installed-$kind"
