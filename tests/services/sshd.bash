# SPDX-License-Identifier: MIT
# "Machines" that ssh reaches on the loopback, which share nothing but this one's programs: a sshd each, with keys of its own and a
# folder of its own in which every command begins. For tests that source this file:
#
#   sshd_here || skip "..."       whether sshd, ssh and rsync are installed (packages openssh-server, openssh-client, rsync)
#   sshd_start FOLDER NAME...     starts one a name: FOLDER/NAME is where its commands begin, FOLDER/ssh_config knows it by its name,
#                                 and its PATH is this shell's; false, with what they said, where one does not come up
#   sshd_stop                     ends them and who they serve, by process id
#
# Who logs in is who runs the test, by a key that is made for it. The system's sshd, its keys and ~/.ssh are left alone.

sshd_here() {
    local program
    for program in sshd ssh ssh-keygen rsync; do PATH=$PATH:/usr/sbin command -v $program > /dev/null || return 1; done
}

sshd_conf() { # FOLDER NAME PORT
    cat << END
Port $3
ListenAddress 127.0.0.1
HostKey $1/hostkey
PidFile none
AuthorizedKeysFile $1/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
SetEnv PATH=$PATH
MaxStartups 100
MaxSessions 100
ForceCommand cd '$1/$2' && eval "\$SSH_ORIGINAL_COMMAND"
END
}

sshd_start() {
    local dir=$1 name port
    shift
    mkdir -p "$dir"
    ssh-keygen -q -t ed25519 -N '' -f "$dir/hostkey"
    ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
    sshd_processes=() sshd_folder=$dir sshd_made=
    # where a sshd of root locks up who is not logged in yet; the package's service makes and removes it
    [ "$(id -u)" != 0 ] || [ -d /run/sshd ] || { mkdir -m 755 /run/sshd && sshd_made=1; }
    for name; do
        mkdir -p "$dir/$name"
        port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
        sshd_conf "$dir" "$name" "$port" > "$dir/$name.sshd"
        printf '%s\n' "Host $name" "HostName 127.0.0.1" "Port $port" "User $(id -un)" "IdentityFile $dir/key" IdentitiesOnly\ yes \
            BatchMode\ yes "UserKnownHostsFile $dir/known" StrictHostKeyChecking\ no LogLevel\ ERROR >> "$dir/ssh_config"
        "$(PATH=$PATH:/usr/sbin command -v sshd)" -D -e -f "$dir/$name.sshd" 3>&- > "$dir/$name.log" 2>&1 &
        sshd_processes+=($!)
        sshd_await "$name" || { cat "$dir/$name.log" >&2; return 1; }
    done
}

sshd_await() {
    local left=200
    until ssh -F "$sshd_folder/ssh_config" "$1" true 2> /dev/null; do
        [ $((left--)) -gt 0 ] || return 1
        sleep .1
    done
}

# The processes of a sshd's connections, and what they run.
sshd_served() {
    local child
    for child in $(pgrep -P "$1"); do
        sshd_served "$child"
        echo "$child"
    done
}

sshd_stop() {
    local pid served
    served=$(for pid in "${sshd_processes[@]}"; do sshd_served "$pid"; done)
    for pid in "${sshd_processes[@]}"; do kill "$pid" 2> /dev/null || true; done
    for pid in $served; do kill "$pid" 2> /dev/null || true; done
    for pid in "${sshd_processes[@]}"; do wait "$pid" 2> /dev/null || true; done
    [ -z "$sshd_made" ] || rmdir /run/sshd 2> /dev/null || true
    sshd_processes=()
}
