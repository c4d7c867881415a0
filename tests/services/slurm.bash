# SPDX-License-Identifier: MIT
# A Slurm on the loopback, in a folder of its own: munged, slurmctld and a slurmd a node. For tests that source this file:
#
#   slurm_here || skip "..."    whether Slurm and MUNGE are installed (packages slurm-wlm and munge), and we are root, who
#                               alone may run slurmd
#   slurm_start FOLDER [NODES [CPUS]]   exports SLURM_CONF; nodes n1, n2 ... (1) of so many CPUs each (2), whatever the machine has;
#                               false, with the logs' ends, where it does not come up
#   slurm_hurry                 lets jobs that were queued again begin in eight seconds, not in two minutes
#   slurm_stop                  ends them, by process id
#
# The daemons that a package has started stay as they are: these have other ports, keys and folders.

slurm_here() {
    local program
    for program in munged slurmctld slurmd sbatch; do PATH=$PATH:/usr/sbin command -v $program > /dev/null || return 1; done
    [ "$(id -u)" = 0 ]
}

# So many ports that nobody has.
slurm_ports() {
    python3 -c '
import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in held))' "$1"
}

slurm_conf() { # FOLDER CPUS PORT PORT...
    local dir=$1 cpus=$2 host port node=0
    host=$(hostname -s)
    cat << END
ClusterName=dq
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$3
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
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
SlurmdParameters=config_overrides
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=0
PartitionName=night Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
    shift 3
    for port; do
        node=$((node + 1))
        echo "NodeName=n$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$port CPUs=$cpus State=UNKNOWN"
    done
}

slurm_start() {
    local dir=$1 nodes=${2:-1} cpus=${3:-2} ports i
    PATH=$PATH:/usr/sbin
    mkdir -p "$dir"/{state,munge}
    for ((i = 1; i <= nodes; i++)); do mkdir -p "$dir/spool/n$i"; done
    chmod 755 "$dir" "$dir/munge"
    read -ra ports <<< "$(slurm_ports $((nodes + 1)))"
    slurm_conf "$dir" "$cpus" "${ports[@]}" > "$dir/slurm.conf"
    export SLURM_CONF=$dir/slurm.conf
    slurm_nodes=$nodes slurm_processes=()
    (umask 077 && dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 2> /dev/null)
    munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --seed-file="$dir/munge/seed" --log-file="$dir/munge/log" 3>&- > "$dir/munged.out" 2>&1 &
    slurm_processes+=($!)
    slurm_await 200 test -S "$dir/munge/socket" || return
    slurmctld -D 3>&- > "$dir/slurmctld.out" 2>&1 &
    slurm_processes+=($!)
    for ((i = 1; i <= nodes; i++)); do
        slurmd -D -N "n$i" 3>&- > "$dir/slurmd-n$i.out" 2>&1 &
        slurm_processes+=($!)
    done
    slurm_await 600 slurm_idle || { tail -n 20 "$dir"/*.log "$dir"/*.out "$dir/munge/log" >&2; return 1; }
}

slurm_idle() { [ "$(sinfo -h -N -o %t 2> /dev/null | grep -cx idle)" = "$slurm_nodes" ]; }

slurm_quiet() { [ -z "$(squeue -h 2> /dev/null)" ]; }

# Slurm gives a job that is queued again a time before which it does not begin: its node takes the same job only when the
# credential has expired under which it ended it (cred_expire).
slurm_hurry() {
    local job reason begin
    squeue -h -r -t PENDING -o '%A %r %S' 2> /dev/null | while read -r job reason begin; do
        [ "$reason" = BeginTime ] && [ $(($(date -d "$begin" +%s) - $(date +%s))) -gt 10 ] || continue
        scontrol update JobId="$job" StartTime=now+8 2> /dev/null || true
    done
}

# slurm_await TENTHS COMMAND...: until it succeeds
slurm_await() {
    local left=$1
    shift
    until "$@"; do
        [ $((left--)) -gt 0 ] || return 1
        sleep .1
    done
}

slurm_gone() { ! kill -0 "$1" 2> /dev/null; }

# What a daemon could not end, or left behind, who serves a job, is known by the configuration in its environment, which is ours alone.
slurm_stop() {
    local pid
    scancel --user="$(id -un)" 2> /dev/null || true
    scancel --user="$(id -un)" --signal=KILL --full 2> /dev/null || true
    slurm_await 300 slurm_quiet || true
    for pid in "${slurm_processes[@]}"; do kill "$pid" 2> /dev/null || true; done
    for pid in "${slurm_processes[@]}"; do
        slurm_await 300 slurm_gone "$pid" || kill -KILL "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
    for pid in $(grep -lszxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ | cut -d / -f 3); do kill -KILL "$pid" 2> /dev/null || true; done
    slurm_processes=()
}
