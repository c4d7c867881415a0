# SPDX-License-Identifier: MIT
# A PostgreSQL server on the loopback, in a folder of its own, for tests that source this file:
#
#   postgres_here || skip "..."   whether PostgreSQL is installed (package postgresql, or postgresql-15)
#   postgres_start                sets POSTGRES (postgresql://dq@127.0.0.1:PORT/postgres) and exports PGPASSWORD; false, with
#                                 the log's end, where it does not come up
#   postgres_stop                 ends it, by process id, and removes the folder; also when the test failed
#   postgres_restart [SIGNAL]     the same server again, as after a crash with KILL
#   psql_says SQL                 in the cache's schema: a line a row, columns divided by | (as sqlite3 does)
#
# The server refuses to be root's: it is nobody's then (setpriv). Nothing is synced, since tests kill processes and not
# machines.

postgres_bin() { # the newest version's
    local folder
    folder=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
    [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ] && echo "$folder"
}

postgres_here() { postgres_bin > /dev/null && command -v psql > /dev/null && command -v setpriv > /dev/null; }

postgres_become() { # command...: this process becomes it, as the server's user
    cd / || exit
    [ "$(id -u)" != 0 ] || exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    exec "$@"
}

postgres_port() { python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])'; }

# Waits until it answers; false where it ended, or a minute has passed.
postgres_wait() {
    local until=$((SECONDS + 60))
    until psql -qAtX "$POSTGRES" -c 'SELECT 1' > /dev/null 2>&1; do
        kill -0 "$(postgres_pid)" 2> /dev/null && [ $SECONDS -lt $until ] || return 1
        sleep 0.1
    done
}

postgres_pid() { cat "$POSTGRES_FOLDER/pid"; }

postgres_begin() {
    (postgres_become "$(postgres_bin)"/postgres -D "$POSTGRES_FOLDER/data") > "$POSTGRES_FOLDER/log" 2>&1 3>&- 4>&- &
    echo $! > "$POSTGRES_FOLDER/pid"
    postgres_wait
}

# A suite's tests are processes of their own, so that who ends it need not be its parent.
postgres_end() { # SIGNAL: INT, which ends what its clients do; KILL
    local pid until=$((SECONDS + 60))
    pid=$(postgres_pid 2> /dev/null) || return 0
    kill -"$1" "$pid" 2> /dev/null || true
    wait "$pid" 2> /dev/null || true
    while kill -0 "$pid" 2> /dev/null && [ $SECONDS -lt $until ]; do sleep 0.1; done
    rm -f "$POSTGRES_FOLDER/pid"
}

postgres_start() {
    local port
    POSTGRES_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/dq-postgres.XXXXXX") || return
    export PGPASSWORD=open-sesame
    unset PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGSERVICEFILE PGPASSFILE PGOPTIONS
    printf '%s\n' "$PGPASSWORD" > "$POSTGRES_FOLDER/password"
    [ "$(id -u)" != 0 ] || chown -R 65534:65534 "$POSTGRES_FOLDER"
    (postgres_become "$(postgres_bin)"/initdb -D "$POSTGRES_FOLDER/data" -U dq -A scram-sha-256 -E UTF8 --locale=C.UTF-8 \
        --pwfile="$POSTGRES_FOLDER/password" --no-sync) > "$POSTGRES_FOLDER/log" 2>&1 || { tail -5 "$POSTGRES_FOLDER/log" >&2; return 1; }
    for _ in 1 2 3; do
        port=$(postgres_port)
        cat << END >> "$POSTGRES_FOLDER/data/postgresql.conf"
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 80
shared_buffers = 32MB
fsync = off
full_page_writes = off
autovacuum = off
END
        POSTGRES=postgresql://dq@127.0.0.1:$port/postgres
        postgres_begin && return
        postgres_end KILL
    done
    tail -5 "$POSTGRES_FOLDER/log" >&2
    return 1
}

# What a killed server's processes hold, they let go within a moment.
postgres_restart() {
    postgres_end "${1:-INT}"
    for _ in {1..50}; do
        postgres_begin && return
        sleep 0.2
    done
    return 1
}

postgres_stop() {
    [ -n "${POSTGRES_FOLDER:-}" ] || return 0
    postgres_end INT
    rm -r "$POSTGRES_FOLDER"
    POSTGRES_FOLDER=
}

psql_says() { PGOPTIONS="-c search_path=dq_cache -c client_min_messages=error" psql -qAtX -v ON_ERROR_STOP=1 "$POSTGRES" -c "$1"; }
