# SPDX-License-Identifier: MIT
# MongoDB-protocol servers for tests: each is started on a free port of loopback and stopped by its process id, also when
# a test fails, for bats runs teardown and teardown_file then too.
#
#   needs_mongodb                      skips where there is no server to be had (fails under CI=true)
#   needs_ferretdb                     the same for what only FerretDB does here: TLS and logins
#   start_mongodb                      sets uri
#   start_ferretdb tls CERT KEY        sets uri
#   start_ferretdb login USER PASSWORD sets address
#   start_canned OPTION... FOLDER      sets uri; see canned.py
#   stop_servers                       for teardown or teardown_file, whichever belongs to the one that started them
#   load URI FOLDER [OPTION]...        fills a database from JSON lines
#   certificates FOLDER                a CA, another CA, certificates for 127.0.0.1 and for elsewhere
#   world FOLDER USERS ITEMS           a small folder of system A's collections, and FOLDER.json, its mapping

services=$BATS_TEST_DIRNAME/../services/mongodb
[ -d "$services" ] || services=$BATS_TEST_DIRNAME/services/mongodb

missing() {
    [ "${CI:-}" != true ] || { echo "CI=true, and $1" >&2; return 1; }
    skip "$1"
}

have_go() { [[ $(go env GOVERSION 2> /dev/null) =~ ^go1\.([0-9]+) && ${BASH_REMATCH[1]} -ge 22 ]]; }

have_mongodb() { have_go || command -v mongod > /dev/null || [ -n "${DQ_TEST_MONGODB_URI:-}" ]; }

needs_mongodb() {
    have_mongodb || missing "no Go 1.22 to build FerretDB with, no mongod, no DQ_TEST_MONGODB_URI"
}

needs_ferretdb() {
    have_go || missing "no Go 1.22 to build FerretDB with"
}

# launch READY COMMAND...: starts a server, waits until its output has a match of READY, and sets ready to that.
launch() {
    local pattern=$1 said
    shift
    said=$(mktemp "$BATS_RUN_TMPDIR/server.XXXXXX")
    "$@" > "$said" 2>&1 3>&- 4>&- &
    echo $! >> "$(servers_file)"
    until ready=$(grep -aoEm1 "$pattern" "$said"); do
        kill -0 $! 2> /dev/null || { echo "a server did not start: $*" >&2; cat "$said" >&2; return 1; }
        sleep 0.02
    done
}

servers_file() { echo "${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/servers"; }

stop_servers() {
    local pid
    [ -e "$(servers_file)" ] || return 0
    while read -r pid; do
        kill "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done < "$(servers_file)"
    rm -f "$(servers_file)"
}

start_mongodb() {
    if have_go; then
        start_ferretdb
    elif command -v mongod > /dev/null; then
        start_mongod
    else
        uri=${DQ_TEST_MONGODB_URI%/}
    fi
}

start_ferretdb() {
    "$services/build" || return 1
    case ${1:-} in
    login)
        mkdir -p "$(servers_file).d"
        launch '127\.0\.0\.1:[0-9]+' env -C "$(servers_file).d" "$BUILD/services/ferretdb-login" --handler=sqlite \
            --sqlite-url='file:./?mode=memory' --listen-addr=127.0.0.1:0 --debug-addr=- --state-dir=- \
            --telemetry=disable --test-enable-new-auth --setup-database=admin --setup-username="$2" --setup-password="$3"
        address=$ready
        ;;
    tls)
        launch 'mongodb://[^/]+' "$BUILD/services/ferretdb" -tls "$2" "$3"
        uri=$ready
        ;;
    *)
        launch 'mongodb://[^/]+' "$BUILD/services/ferretdb"
        uri=$ready
        ;;
    esac
}

# mongod takes no port 0, so a port that was free a moment ago.
start_mongod() {
    local data port
    data=$(mktemp -d "$BATS_RUN_TMPDIR/mongod.XXXXXX")
    port=$(/usr/bin/python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    launch 'Waiting for connections' mongod --dbpath "$data" --bind_ip 127.0.0.1 --port "$port" --nounixsocket
    uri=mongodb://127.0.0.1:$port
}

start_canned() {
    launch 'mongodb://.+' /usr/bin/python3 "$services/canned.py" "$@"
    uri=$ready
}

load() {
    local uri=$1 folder=$2
    shift 2
    /usr/bin/python3 "$services/load.py" "$@" "$uri" "$folder"
}

certificates() {
    local name
    mkdir -p "$1"
    for name in ca other-ca; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" \
            -addext 'basicConstraints=critical,CA:TRUE' -keyout "$1/$name.key" -out "$1/$name.pem"
    done
    certificate "$1" here IP:127.0.0.1
    certificate "$1" elsewhere DNS:elsewhere.invalid
}

certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" -keyout "$1/$2.key" -out "$1/$2.csr"
    openssl x509 -req -in "$1/$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -days 2 -out "$1/$2.pem" \
        -extfile <(printf 'subjectAltName=%s\n' "$3")
}

# world FOLDER USERS ITEMS: see world.py; and FOLDER.json, the mapping to it.
world() {
    /usr/bin/python3 "$services/world.py" "$@" && "$BUILD"/dq-export --show-schema jobs | sed 's/384/4/' > "$1.json"
}
