#!/bin/sh
# Install what is missing: system libraries (apt), .venv, the locked packages.
# usage: setup.sh [run|dev] [cpu|cuda]
#   dev   also what the tests need
#   cpu   PyTorch without the CUDA libraries; the default on Linux without an NVIDIA card
set -eu
cd "$(dirname "$0")"
kind=${1:-run}
torch=${2:-}

fail() {
    echo "error: $1" >&2
    exit 2
}

case $kind in run | dev) ;; *) fail "unknown kind '$kind', expected run or dev" ;; esac
case $torch in "" | cpu | cuda) ;; *) fail "unknown TORCH '$torch', expected cpu or cuda" ;; esac

# --- Python ---------------------------------------------------------------------------------------
# Other packages on the path would be taken for installed ones.
unset PYTHONPATH PYTHONHOME
python=""
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || fail "no Python 3.11 to 3.14 found; install one, or name it: make PYTHON=/path/to/python3 ..."

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

# Training and the HTML page work without these libraries, so they are asked for, not insisted on.
ask() { echo "note: PDFs and Chinese figures need system packages; type: $1" >&2; }

case $(uname -s) in
Linux)
    packages=$(missing_debian | tr '\n' ' ')
    if [ -n "$packages" ]; then
        if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo -n"; fi
        if ! command -v apt-get >/dev/null; then
            ask "(your package manager) install $packages(Debian's names; others are in README.md)"
        elif [ -n "$sudo" ] && ! $sudo true 2>/dev/null; then
            ask "sudo apt-get install $packages"
        else
            echo "installing $packages"
            log=$(mktemp)
            # shellcheck disable=SC2086  # a list
            if ! { $sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -qy \
                --no-install-recommends $packages; } >"$log" 2>&1; then
                tail -n 3 "$log" >&2
                fail "apt-get could not install $packages"
            fi
            rm -f "$log"
        fi
    fi
    ;;
Darwin)
    missing=""
    for formula in pango fontconfig; do
        brew list "$formula" >/dev/null 2>&1 || missing="$missing $formula"
    done
    font "Noto Sans CJK SC" || missing="$missing font-noto-sans-cjk-sc font-noto-serif-cjk-sc"
    font "TeX Gyre Pagella" || missing="$missing font-tex-gyre-pagella"
    [ -z "$missing" ] || ask "brew install$missing"
    ;;
esac

# --- Python packages --------------------------------------------------------------------------------
# The locks pin every package, for every platform, by hash: another file of the same name is refused.
if [ "$kind" = dev ]; then lock=requirements-dev.lock; else lock=requirements.lock; fi
stamped() { [ "$(cat ".venv/installed-$1" 2>/dev/null)" = "$(cksum <"$2")" ]; }
have=""
if [ -x .venv/bin/python ]; then
    have=$(.venv/bin/python -c 'from importlib.metadata import version as v
print("cpu" if v("torch").endswith("+cpu") else "cuda")' 2>/dev/null) || have=""
fi
if [ "$(uname -s)" = Linux ]; then
    if [ -n "$torch" ] && [ -n "$have" ] && [ "$torch" != "$have" ]; then
        fail ".venv holds PyTorch for $have; to change it: rm -rf .venv && make setup TORCH=$torch"
    fi
else
    torch=cuda # only Linux has two kinds; elsewhere the package index has the only one
fi
# What the tests need includes what the runs need.
if stamped "$kind" "$lock" || { [ "$kind" = run ] && stamped dev requirements-dev.lock; }; then exit 0; fi
[ -x .venv/bin/python ] || "$python" -m venv .venv || fail "python -m venv could not make .venv; see above"
echo "installing Python packages into .venv (torch is large: minutes the first time)"

# Of pip's settings, in the environment and in pip.conf, only those count that say where packages come
# from. Others (user, target, constraint ...) would install something else, or somewhere else.
settings=$(.venv/bin/python -m pip config list)
for name in $(env | sed -n 's/^\(PIP_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
export PIP_CONFIG_FILE=/dev/null
for key in index-url extra-index-url no-index find-links proxy cert client-cert trusted-host \
    keyring-provider timeout default-timeout retries cache-dir no-cache-dir; do
    value=$(printf '%s\n' "$settings" | sed -n "s/^[a-z:]*\.$key='\(.*\)'\$/\1/p" | head -n 1 | sed 's/\\n/ /g')
    [ -z "$value" ] || export "PIP_$(echo "$key" | tr a-z- A-Z_)=$value"
done
install() {
    .venv/bin/python -m pip install -q --no-compile --disable-pip-version-check --only-binary :all: "$@"
}

pinned() { sed -n "s/^$1==\([^ ;]*\).*/\1/p" "$lock"; }
nvidia() { command -v nvidia-smi >/dev/null || [ -e /dev/nvidia0 ] || [ -e /usr/lib/wsl/lib/nvidia-smi ]; }
# The package index has PyTorch for Linux with CUDA only; PyTorch's own index also has it without.
: "${TORCH_INDEX:=https://download.pytorch.org/whl/cpu}"
kept=$torch
[ -n "$kept" ] || kept=$have
if [ -z "$kept" ]; then if nvidia; then kept=cuda; else kept=cpu; fi; fi
if [ "$kept" = cpu ]; then
    if ! install --no-deps --retries 1 --index-url "$TORCH_INDEX" \
        "torch==$(pinned torch)+cpu" "torchvision==$(pinned torchvision)+cpu" 2>.venv/torch.log; then
        why=$(grep -m 1 ERROR .venv/torch.log || tail -n 1 .venv/torch.log)
        [ "$torch" != cpu ] || fail "no PyTorch without CUDA from $TORCH_INDEX ($why); name a mirror: TORCH_INDEX=..."
        echo "note: no PyTorch without CUDA from $TORCH_INDEX; installing the one with it (6 GB)" >&2
        kept=cuda
    fi
    rm -f .venv/torch.log
fi
if [ "$kept" = cpu ]; then
    rest=.venv/without-cuda.lock # the lock without torch and what only its CUDA libraries need
    awk '/^[a-zA-Z0-9]/ { skip = /^(torch|torchvision|triton|nvidia-.*|cuda-.*)==/ } !skip' "$lock" >"$rest"
    install --no-deps --require-hashes -r "$rest"
else
    install --require-hashes -r "$lock"
fi || fail "pip could not install the packages; see above"
# pip would compile the packages' own tests too, and on one core: a minute more. Python compiles what
# is left out here when it is first imported; a package's template that is no Python is no error.
.venv/bin/python -m compileall -qq -j 0 -x '/(tests|ray|sympy|networkx)/' .venv/lib/python*/site-packages || true
cksum <"$lock" >".venv/installed-$kind"
