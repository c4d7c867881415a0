# SPDX-License-Identifier: MIT
# A Slurm of one node on the loopback, in a folder of its own: munged, slurmctld and slurmd. For tests that source this file:
#
#   slurm_here || skip "..."    whether Slurm and MUNGE are installed (packages slurm-wlm and munge), and we are root, who
#                               alone may run slurmd
#   slurm_start FOLDER          exports SLURM_CONF; false, with the logs' ends, where it does not come up
#   slurm_stop                  ends them, by process id

slurm_here() {
    local program
    for program in munged slurmctld slurmd sbatch; do PATH=$PATH:/usr/sbin command -v $program > /dev/null || return 1; done
    [ "$(id -u)" = 0 ]
}

# Two ports that nobody has.
slurm_ports() {
    python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in held))'
}

slurm_conf() { # FOLDER PORT PORT
    local host
    host=$(hostname -s)
    cat << END
ClusterName=dq
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$2
SlurmdPort=$3
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$1/munge/socket,cred_expire=5
CredType=cred/munge
MpiDefault=none
SwitchType=switch/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmctldTimeout=600
SlurmdTimeout=600
KillWait=10
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/slurmd.pid
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/slurmd.log
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=night Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
}

slurm_start() {
    local dir=$1 ports
    PATH=$PATH:/usr/sbin
    mkdir -p "$dir"/{state,spool,munge}
    chmod 755 "$dir" "$dir/munge"
    read -ra ports <<< "$(slurm_ports)"
    slurm_conf "$dir" "${ports[@]}" > "$dir/slurm.conf"
    export SLURM_CONF=$dir/slurm.conf
    slurm_processes=()
    (umask 077 && dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 2> /dev/null)
    munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --seed-file="$dir/munge/seed" --log-file="$dir/munge/log" 3>&- > "$dir/munged.out" 2>&1 &
    slurm_processes+=($!)
    slurm_await 200 test -S "$dir/munge/socket" || return
    slurmctld -D 3>&- > "$dir/slurmctld.out" 2>&1 &
    slurm_processes+=($!)
    slurmd -D -N "$(hostname -s)" 3>&- > "$dir/slurmd.out" 2>&1 &
    slurm_processes+=($!)
    slurm_await 600 slurm_idle || { tail -n 20 "$dir"/*.log "$dir"/*.out "$dir/munge/log" >&2; return 1; }
}

slurm_idle() { sinfo -h -o %t 2> /dev/null | grep -qx idle; }

slurm_quiet() { [ -z "$(squeue -h 2> /dev/null)" ]; }

# slurm_await TENTHS COMMAND...: until it succeeds
slurm_await() {
    local left=$1
    shift
    until "$@"; do
        [ $((left--)) -gt 0 ] || return 1
        sleep .1
    done
}

slurm_stop() {
    local pid
    scancel --user="$(id -un)" 2> /dev/null || true
    scancel --user="$(id -un)" --signal=KILL --full 2> /dev/null || true
    slurm_await 300 slurm_quiet || true
    for pid in "${slurm_processes[@]}"; do kill "$pid" 2> /dev/null || true; done
    for pid in "${slurm_processes[@]}"; do wait "$pid" 2> /dev/null || true; done
    slurm_processes=()
}
