#!/bin/sh
# Train on a machine that has Python with torch, but neither this checkout nor the network.
#
#     experiments/scheduling/away.sh FOLDER   here: code, data and packages go into FOLDER
#     FOLDER/run.sh MINUTES [STEP...]         there: trains, and writes FOLDER/records.tar.gz
#
# A step is what follows `python -m experiments train --profile`. Without steps: two minutes of
# every network (smoke), the ladder's last rung, the full study. Unpack the archive in
# experiments/results/ here. The packages are for Linux on x86-64 with $AWAY_PYTHON (3.12).
set -eu
PYTHON=${PYTHON:-python3}
#: What training needs besides what comes with torch and torchvision.
PACKAGES="annotated-types filelock markdown-it-py mdurl pydantic pydantic-core pygments rich
safetensors torchinfo typing-extensions typing-inspection ultralytics-thop"

pack() {
    [ ! -e "$1" ] || { echo "error: $1 exists; name a new folder." >&2; exit 2; }
    data=${MNIST_DIR:-data/MNIST}
    [ -d "$data" ] || { echo "error: no data in $data; set MNIST_DIR to its folder." >&2; exit 2; }
    mkdir -p "$1"
    git clone --quiet --depth 1 "file://$(git rev-parse --show-toplevel)" "$1/code"
    mkdir -p "$1/code/data/MNIST"
    cp -L "$data"/* "$1/code/data/MNIST"
    gzip -qf "$1"/code/data/MNIST/*-ubyte || true
    for name in $PACKAGES; do grep "^$name==" requirements.lock | cut -d' ' -f1; done >"$1/packages"
    "$PYTHON" -m pip download -q --no-deps --only-binary=:all: --dest "$1/wheels" \
        --python-version "${AWAY_PYTHON:-3.12}" --implementation cp \
        --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 -r "$1/packages"
    cp experiments/scheduling/away.sh "$1/run.sh"
    echo "$1: $(du -sh "$1" | cut -f1); there: $(basename "$1")/run.sh MINUTES"
}

train() {
    cd "$(dirname "$0")"
    end=$(($(date +%s) + $1 * 60))
    shift
    "$PYTHON" -m pip install -q --no-index --no-deps --no-compile --target site wheels/*.whl
    PYTHONPATH="$PWD/site${PYTHONPATH:+:$PYTHONPATH}"
    export PYTHONPATH
    cd code
    trap 'cd experiments/results && find . -type f ! -name .lock -newer ../../../run.sh |
        tar -czf ../../../records.tar.gz -T -' EXIT
    [ $# -gt 0 ] || set -- smoke rung-d full
    for step in "$@"; do
        left=$((end - $(date +%s)))
        [ "$step" != smoke ] || [ $left -lt 120 ] || left=120
        [ $left -gt 0 ] || break
        # shellcheck disable=SC2086 # a step is several words
        "$PYTHON" -m experiments train --minutes "$((left / 60)).$((left % 60 * 100 / 60))" \
            --profile $step || echo "$step: ended with status $?" >&2
    done
}

case "${1:-} $(basename "$0")" in
" "* | -*) sed -n '2,9s/^# \{0,1\}//p' "$0" ;;
*away.sh) pack "$1" ;;
*) train "$@" ;;
esac
