# Makes or updates .venv. Read by ./course (root, venv, stamp, sum, usable and ready are from there) when it is not ready.
log=$root/.venv-setup.log lock=$root/.venv-setup.lock

say() { printf 'course: %s\n' "$*" >&2; }
fail() { say "$@"; exit 3; }

# Sets name, version and python for the first one that runs (a name may be a shim that does not) and is new enough.
find_python() {
    if [ -n "${COURSE_PYTHON:-}" ]; then
        set -- "$COURSE_PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3 python
    fi
    old='' none='none was found; '
    for name do
        # _base_executable: in an activated .venv, the Python beneath it
        python=$("$name" -c 'import sys
print("%d.%d.%d %s" % (sys.version_info[:3] + (getattr(sys, "_base_executable", sys.executable),)))
' 2>/dev/null) || continue
        version=${python%% *} python=${python#* }
        case $version in 3.1[1-9].* | 3.[2-9][0-9].*) return ;; *) old="$old$name is $version; " ;; esac
    done
    [ -z "${COURSE_PYTHON:-}" ] || none="$COURSE_PYTHON does not run; "
    fail "Python 3.11 or newer is needed, but ${old:-$none}install one," \
        "or name it: COURSE_PYTHON=/path/to/python3 ./course"
}

# Runs one command of the set-up, its output in the log; a failure is told in one line. It runs in the course's folder,
# because Python imports what lies in the current one, and uv reads the pyproject.toml there.
step() {
    (cd "$root" && "$@") </dev/null >>"$log" 2>&1 && return
    why="the set-up failed ($({ grep -i error "$log" || cat "$log"; } | tail -n 1))"
    ! grep -q ensurepip "$log" || why="$name has no venv; on Debian and Ubuntu, first: apt install python3-venv"
    no_network='connection (broken|error|refused|reset)|timed out|dns error|error sending|from versions: none'
    ! grep -qiE "$no_network" "$log" || why='the package index cannot be reached; check the network'
    fail "$why; then run ./course again (details: $log)"
}

# One set-up at a time. The lock of a process that is gone is removed by the first that marks it as stale.
take_lock() {
    told=''
    until mkdir "$lock" 2>/dev/null; do
        [ -d "$lock" ] || [ -w "$root" ] || fail "cannot write in $root; make it writable, or copy it elsewhere"
        holder=$(cat "$lock/pid" 2>/dev/null)
        if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null && mkdir "$lock/stale" 2>/dev/null; then
            if [ "$(cat "$lock/pid")" = "$holder" ]; then rm -rf "$lock"; else rmdir "$lock/stale"; fi
            continue
        fi
        [ -n "$told" ] || say "waiting for the set-up that process $holder is doing; if there is none, delete $lock"
        told=yes
        sleep 1
    done
    trap 'rm -rf "$lock"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    echo $$ >"$lock/pid"
}

set_up() {
    : >"$log"
    if command -v uv >/dev/null; then tool=uv; else tool=pip; fi
    if usable; then
        name=$has_name
        say "updating .venv, because requirements.lock or pyproject.toml has changed"
    else
        find_python
        again=''
        [ ! -e "$venv" ] || again=' again (it is unfinished, broken, moved or of another Python)'
        say "making .venv$again with Python $version and $tool; this takes about a minute, once"
        rm -rf "$venv"
        if [ $tool = uv ]; then step uv venv --python "$python" "$venv"; else step "$python" -m venv "$venv"; fi
    fi
    if [ $tool = uv ]; then
        set -- uv pip install --python "$venv/bin/python"
    else # uv leaves pip out of the .venv that it makes
        [ -x "$venv/bin/pip3" ] || step "$venv/bin/python" -m ensurepip
        set -- "$venv/bin/python" -m pip install
    fi
    step "$@" --require-hashes -r "$root/requirements.lock"
    step "$@" --no-deps --no-build-isolation -e "$root"
    printf '%s\n' "$sum" "$root" "$name" >"$stamp" # last: without it the set-up is begun again
}

take_lock
ready || set_up # another ./course may have done it by now
rm -rf "$lock"
trap - EXIT INT HUP TERM
