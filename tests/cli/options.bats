#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Command lines: what was typed wrong is said with what was meant, numbers are numbers, nothing is given twice, names
# and letters mean one thing in all programs, and shells complete.

bats_require_minimum_version 1.5.0
source "$BATS_TEST_DIRNAME/../needs.bash"

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return
    PATH=$BUILD:$PATH
    dq-sim -q --users 5 --items 6 --interactions 30 -o c.dq
    printf '{"id":"a","text":{"b":"x"}}\n' > u.jsonl
    for program in cat embed eval export plan rank reward serve sim train tune; do
        dq-$program --completion table | sed "1d; s/^/dq-$program\t/"
    done > tables
}

setup() {
    cd "$BATS_FILE_TMPDIR" || return
    PATH=$BUILD:$PATH
    programs=(dq-{cat,embed,eval,export,plan,rank,reward,serve,sim,train,tune})
}

# refused WORDS COMMAND...: a usage error in one line, which has WORDS in it and ends with where to read on.
refused() {
    local words=$1
    shift
    run --separate-stderr timeout 60 "$@" < /dev/null
    [[ $status == 2 && ${#stderr_lines[@]} == 1 && -z $output && $stderr == "$1: "*"$words"*" (try $1 --help"*")" ]] ||
        { echo "$*: status $status: $stderr"; return 1; }
}

@test "what was typed wrong is said with what was meant" {
    refused "unknown option --modle; did you mean --model?" dq-rank --modle m.dq
    refused "unknown option --sede; did you mean --seed?" dq-rank --sede=7
    refused "unknown option --no-heder; did you mean --no-header?" dq-rank --no-heder
    refused "unknown option --halp; did you mean --help?" dq-cat --halp
    refused "--by: 'comsine' is not one of auto, q, world, cosine, " dq-rank --by comsine
    refused "; did you mean cosine?" dq-rank --by comsine
    refused "; did you mean popularity?" dq-rank --by popul
    refused "; did you mean dyna-q?" dq-train --agent dynaq
    refused "; did you mean published?" dq-train --preset publised
    refused "; did you mean stream?" dq-cat --to sream
    refused "; did you mean offline?" dq-train --help ofline
    refused "; did you mean fish?" dq-cat --completion fsih
    refused "no environment 'sesion'; did you mean session?" dq-train --env sesion
    refused "no environment 'cartpol'; did you mean cartpole?" dq-sim --play 1 cartpol
    refused "; did you mean history?" dq-sim --play 1 session:histroy=3
    run -1 --separate-stderr dq-cat --kind usres c.dq
    [[ $stderr == *"no usres in the stream; did you mean users?"* ]]
    refused "no measure is called 'ndgc@10'; did you mean ndcg?" dq-eval --qrels q --run r -m ndgc@10
    refused "there is no estimator 'snisp'; did you mean snips?" dq-eval --ope snisp --target uniform c.dq
    refused "unknown option --trails; did you mean --trials?" dq-tune --trails 3
    refused "; did you mean random?" dq-tune --by randon
    refused "; did you mean random:?" dq-reward --pairs randon:5 c.dq
    refused "; did you mean stream?" dq-reward --pairs strem c.dq
    refused "random:N or top:N" dq-reward --pairs random:x c.dq
    [[ $stderr != *"did you mean"* ]]
    refused "; did you mean hash:?" dq-embed hsah:64 c.dq
    refused "; did you mean histogram?" dq-eval --draw histgram:x=id c.dq
    refused "; did you mean uniform?" dq-eval --ope ips --target unifrom c.dq
    refused "; did you mean column:?" dq-eval --ope ips --target colum:p c.dq
    refused "; did you mean reward?" dq-export --interactions u.jsonl --columns rewrd=rating
    refused "; did you mean text.?" dq-export --users u.jsonl --columns users:txt.bio=bio
    refused "; did you mean jobs?" dq-export --show-schema jbos
    run -1 --separate-stderr dq-export --schema obdd nowhere
    [[ $stderr == "dq-export: obdd: cannot open: No such file or directory; did you mean obd?" ]]
    # The letter that is wrong, wherever it stands among others.
    refused "unknown option -Z" dq-rank --quiet -Zq
    refused "unknown option -Z" dq-rank c.dq -qZ
    # What is like nothing gets no guess.
    for words in --zzzzzz -Z "--by nothing-like-it"; do
        refused "${words##* }" dq-rank $words
        [[ $stderr != *"did you mean"* ]]
    done
}

@test "usage errors of the command line end with --help, in every program" {
    for program in "${programs[@]}"; do
        refused "unknown option --no-such-option" "$program" --no-such-option
        option=--threads
        [ "$program" != dq-tune ] || option=--seed
        refused "$option needs a value" "$program" $option
        refused "--quiet takes no value" "$program" --quiet=3
        refused "--version takes no value" "$program" --version=3
    done
    refused "--user has no meaning with --offline" dq-train --offline --user x
    [[ $stderr == *" (try dq-train --help)" || $stderr == *" (try dq-train --help offline)" ]]
    refused "--negatives" dq-train --user u0 --negatives 3
    [[ $stderr == *" (try dq-train --help online)" ]] # of the mode that it is
}

# Numbers that are typed wrong, within words too: the option, what is given, and what has to be in the line.
numbers() {
    cat << 'END'
dq-rank     | --top              | x 1e3 -1 '' ' 1' 0x10 1.5 nan 99999999999999999999 1kk | --top
dq-rank     | --mmr              | x '' nan inf 0x1 1,5 ' 1' 1e999 1.5 -1 '0.5 0.5'       | --mmr
dq-rank     | --by=popularity --map   | A A= A=x A=nan A=1e999                      | --map
dq-cat      | --head             | x -1 '' 1.5                                            | --head
dq-cat      | --since            | x '' 2020-13-01                                        | --since
dq-export   | --users=u.jsonl --limit | x users:x users: -1 1e3 users:3x 99999999999999999999 | --limit
dq-export   | --interactions=u.jsonl --reward-scale | x 1:x 1: :5 5:1 0x1:5 1:0x5 '1: 5' nan:1 1:inf 1:5x | --reward-scale
dq-reward   | --pairs            | random:x random: top:-1 random:0 random:1e3 top:99999999999999999999999 | --pairs
dq-reward   | --strategy=logged --map | A A= A=x A=nan                                    | --map
dq-reward   | -sllm --model=m --cache=x.db --price | 1 x:1 1: 0x1:1 '1: 1' -1:1 nan:1 1:2x '' 1:1:1    | --price
dq-reward   | -sllm --model=m --cache=x.db --temperature | x '' nan 3 -1 0x1 ' 1'                 | --temperature
dq-embed    | cf:4 --map         | A A=x A=nan                                            | --map
dq-train    | c.dq --user=u0 --hidden | 8,x 8, ,8 -8 8.5 1e3 0 99999999999999999999 '8 8'      | --hidden
dq-train    | c.dq --user=u0 --dueling --value-hidden | x 8,                                   | --value-hidden
dq-train    | c.dq --user=u0 --world-hidden | x 8,                                             | --world-hidden
dq-train    | c.dq --user=u0 --cosine-weight | x 0x1 ' 1' 1:0@x 1:0@ 1:0@3x nan 2 -1 ''                 | --cosine-weight
dq-train    | c.dq --user=u0 --map    | A A=x A=nan                                            | --map
dq-train    | c.dq --user=u0 --lr     | x '' nan 0x1 -1                                        | --lr
dq-train    | c.dq --offline --fold   | x 1 x/3 1/x 4/3 0/3 -1/3 1/3x 1/1 /3 1/                | --fold
dq-train    | c.dq --offline --sessions --history | x 0 -1 1e2 3x ''                           | --history
dq-train    | c.dq --offline --history | x seen:x seen: seen:0 seen:-1                         | --history
dq-train    | c.dq --offline --sessions --agent=dt --wish | x nan '' 1x 0x1                       | --wish
dq-train    | --follow=c.dq --init=c.dq --every | x 10x -3 '' 0 1.5h 99999999999999999999h | --every
dq-train    | --env              | session:history=x session:history= session:history=1e99 session:history=-1 session:history=0x3 session:history=1.5 session:history maze:steps=nan | --env
dq-eval     | --rollout --model=random --env | session:history=x maze:steps=0x            | --env
dq-eval     | --qrels=q --run=r --cutoff | x 5,x -5 0 5, 1.5                              | ranks
dq-eval     | --qrels=q --run=r --measure | rbp@0x1 ndcg@x ndcg@ ndcg@-1 P_x                      |
dq-eval     | --qrels=q --run=r --gains | A A=x                                           | --gains
dq-eval     | --curves log --mark | x 5x -1 '' 99999999999999999999                       | --mark
dq-eval     | c.dq --ope=slope:ips --target=uniform --slope-grid | x 0x1 1,x 1, -1 nan         | --slope-grid
dq-eval     | c.dq --ope=ips --target=uniform --map | A A=x                               | --map
dq-serve    | --catalogue=c.dq --map | A A=x                                              | --map
dq-serve    | --model            | a=m.dq:-1 a=m.dq:2 a=m.dq:0                              | --model
dq-serve    | --request-timeout  | x 0 nan ''                                             | --request-timeout
dq-serve    | --catalogue=nowhere --log=l --log-sync | x '' 0x10 ' 1' -1 1.5 1s, nan 10M      | --log-sync
dq-serve    | --catalogue=nowhere --log=l --log-rotate | x '' 0x10 ' 1' -1 1.5 1M, 1MM 100X | --log-rotate
dq-serve    | --catalogue=nowhere --listen | x '' :80 h: h:x h:99999 h:8O unix: | --listen
dq-serve    | --catalogue=nowhere --check --listen | x h:x                                  | --listen
dq-tune     | --trials           | x -1 1.5 '' 1e3                                        | --trials
dq-tune     | --option=a=1 --metric=m --take | last:x last: last:0 last:² best:2 x        | --take
dq-tune     | --option=a=1 --metric=m --seed | x -1 1e3 99999999999                       | --seed
END
}

@test "numbers that are typed wrong are usage errors that name the option and the value" {
    local program before values words value option rest
    while IFS='|' read -r program before values words; do
        program=${program// /} words=${words// /}
        eval "set -- $before"
        rest=("${@:1:$#-1}") option=${!#}
        eval "set -- $values"
        for value in "$@"; do
            if [ "$program" = dq-tune ]; then
                refused "$words" "$program" "${rest[@]}" "$option" "$value" -- true
            else
                refused "$words" "$program" "${rest[@]}" "$option" "$value" < /dev/null
            fi
            [ "$option" != --env ] || value=${value#*:} # the environment's option
            [[ $stderr == *"$value"* ]] || { echo "$program $option '$value': $stderr"; return 1; }
        done
    done < <(numbers)
    for width in x '' -4 0 8x 1e3 99999999999999; do
        refused "hash:$width" dq-embed "hash:$width" c.dq
        refused "cf:$width" dq-embed "cf:$width" c.dq
    done
    for threads in x -1 1.5 99999 0x2; do
        run -2 env DQ_THREADS=$threads dq-rank c.dq
        [[ $output == "dq-rank: DQ_THREADS: "*"$threads"* ]]
    done
    refused "--listen: unix:PATH has a path of 1 to 107 bytes" dq-serve --catalogue nowhere --listen "unix:$(printf %0200d 7)"
    for flush in yes 2 -1 off; do
        run -2 env DQ_FLUSH=$flush dq-rank c.dq
        [[ $output == "dq-rank: DQ_FLUSH: '$flush' is neither 0 nor 1 (try "* ]]
    done
    DQ_FLUSH=0 DQ_THREADS="" dq-rank -q --by popularity c.dq > /dev/null
    refused "session: history=x is not a number" dq-sim --play 1 session:history=x
    refused "LEAST and MOST" dq-tune --option a=nan..2 --metric m -- true
    refused "LEAST and MOST" dq-tune --option a=5..2 --metric m -- true
}

@test "the name of a file that is empty is a usage error" {
    refused "--init: a name is wanted" dq-train --offline --init '' c.dq
    refused "--output: a name is wanted" dq-rank --by cosine -o '' c.dq
    refused "--catalogue: a name is wanted" dq-serve --catalogue=
}

@test "an option that is no list is given once; a flag may be said again, not taken back" {
    refused "--top is given twice: 3 and 4" dq-rank -k 3 --top=4 c.dq
    refused "--top is given twice: 3 and 3" dq-rank -k 3 -k 3 c.dq
    refused "--seed is given twice: 1 and 2" dq-sim --seed 1 --see 2
    refused "--by is given twice: cosine and q" dq-rank --by cosine --by q c.dq
    refused "--user is given twice: u0 and u1" dq-train --user u0 --user u1 c.dq
    refused "--trials is given twice: 3 and 4" dq-tune --trials 3 --trials 4
    refused "--header and --no-header contradict each other" dq-rank --header --no-header c.dq
    refused "--lr stands in the command" dq-tune --option lr=1 --metric m -- dq-train --lr 2
    dq-rank -q -q --no-header --no-header --format tsv c.dq > /dev/null
    # Lists: all that is given counts.
    [ "$(dq-cat --user u0 --user u3 c.dq | jq -rs 'map(.id) | join(" ")')" = "u0 u3" ]
    [ "$(dq-cat --item i1 --item i4 c.dq | jq -rs 'map(.id) | join(" ")')" = "i1 i4" ]
    [ "$(dq-cat --kind interactions --user u0 --user u3 c.dq | jq -rs 'map(.user) | unique | join(" ")')" = "u0 u3" ]
    [ "$(dq-reward -q --pairs all --user u0 --user u3 c.dq | dq-cat --kind transitions | jq -rs 'map(.user) | unique | join(" ")')" = "u0 u3" ]
    dq-train -q --user u0 --episodes 2 --steps 5 --hidden 4 --world-hidden 4 --batch 2 --warmup 2 -o m.dq c.dq
    [ "$(dq-plan -q --model m.dq --pairs unseen --user u0 --user u3 c.dq | dq-cat --kind transitions | jq -rs 'map(.user) | unique | join(" ")')" = "u0 u3" ]
    [ "$(dq-eval -f json --rollout --model random --user u0 --user u3 --episodes 4 --steps 3 c.dq | jq -s length)" = 1 ]
    run -1 dq-eval --rollout --model random --user u0 --user nobody --episodes 4 --steps 3 c.dq
    [[ $output == *"no user 'nobody' in the input" ]]
    run -1 dq-reward --pairs all --user u0 --user nobody c.dq -o x.dq
    [[ $output == *nobody* && ! -e x.dq ]]
    run -1 dq-cat --user u0 --user nobody c.dq
    [[ $output == *"no user nobody" ]]
}

@test "a name means one thing in all programs" {
    # An id is a list wherever several can be meant: an agent of dq-train has one user.
    awk -F'\t' '($2 == "user" || $2 == "item") && $4 != "list" { print $1, $2 }' tables > single
    diff single <(echo dq-train user)
    # A flag is no number elsewhere, a file no count. Names that are another thing in another program, each of which
    # says in its help what; a new one is to be called otherwise.
    awk -F'\t' '{ kind = $4 == "list" || $4 == "choice" ? "text" : $4 == "real" ? "count" : $4
        if (($2 in seen) && seen[$2] != kind) print $2
        seen[$2] = kind }' tables | sort -u | diff - <(printf '%s\n' cache catalogue explore follow head interactions items replay rollout schema sessions since temperature users weight wish)
}

@test "a letter means one thing in all programs but dq-eval" {
    awk -F'\t' '$1 != "dq-eval" && $3 != "" { print $3, $2 }' tables | sort -u > letters
    # Of three the meaning is what they count: at a time, of a list, at most.
    diff letters - << 'END'
a agent
b batch
c checkpoint
d dir
e episodes
f format
g gamma
i init
j jobs
j parallel
k lists
k top
l log
m model
n head
n limit
o output
p pairs
q quiet
r reward
s strategy
t threads
u user
w weight
x exclude-seen
END
    page=$BATS_TEST_DIRNAME/../../docs/man/dq.7.scd
    [ ! -e "$page" ] || while read -r letter name; do
        sed -n '/^; letters/,/^; end/p' "$page" | grep -A1 -- "\*-$letter\*" | grep -q -- "\*--$name\*" || { echo "dq(7) lacks -$letter --$name"; false; }
    done < letters
}

@test "--help MODE has one default an option, by the choices beside it" {
    for mode in online each-user offline sessions states env; do
        dq-train --help $mode > help
        run ! grep -E '\(default [^)]*; ' help
    done
    default() { dq-train "$@" | tr -s ' \n' ' ' | grep -oE -- '--lr=RATE [^()]*\(default [^)]*' | sed 's/.*default //'; }
    [ "$(default --help offline)" = 0.002 ]
    [ "$(default --preset published --help offline)" = 0.001 ]
    [ "$(default --help offline --preset=published)" = 0.001 ]
    dq-train --help offline | tr -s ' \n' ' ' | grep -q 'Defaults are those of --preset tuned --agent dyna-q '
    # All modes together: a short list, else where it is said.
    dq-train --help | tr -s ' \n' ' ' > help
    grep -qE '\(default by mode: --help MODE\)' help
}

# ---- completion ----

complete() { "$1" --complete-line "$@"; }

@test "dq-eval --complete stays an option" {
    refused "--qrels FILE is needed" dq-eval --complete
}

@test "a program says what may come next on its line" {
    [ "$(complete dq-rank --by '' | paste -sd' ')" = "words auto q world cosine popularity recent item-knn last-item random" ]
    [ "$(complete dq-rank --by=co | paste -sd' ')" = "words --by=cosine" ]
    [ "$(complete dq-rank -k '' | paste -sd' ')" = words ]
    [ "$(complete dq-rank -m '')" = files ]
    [ "$(complete dq-cat --split '')" = folders ]
    [ "$(complete dq-train --accept '')" = commands ]
    [ "$(complete dq-train --help of | cut -f 1 | paste -sd' ')" = "words offline" ]
    [ "$(complete dq-train --env se | paste -sd' ')" = "words session sequence" ]
    [ "$(complete dq-sim cart | paste -sd' ')" = "words cartpole" ]
    [ "$(complete dq-eval -m ndcg,ma | paste -sd' ')" = "words ndcg,map ndcg,map_cut" ]
    [ "$(complete dq-reward --pairs ra | paste -sd' ')" = "part random:" ]
    [ "$(complete dq-cat --kind i | paste -sd' ')" = "words items interactions" ]
    [ "$(complete dq-export --schema j | paste -sd' ')" = "files jobs" ]
    [ "$(complete dq-cat --completion z | paste -sd' ')" = "words zsh" ]
    [ "$(complete dq-rank '' )" = files ]
    [ "$(complete dq-rank -- --mo)" = files ]
    # Ids of a stream that stands on the line; a pipe is not read, and what is no stream has none.
    [ "$(complete dq-rank c.dq --user u | paste -sd' ')" = "words u0 u1 u2 u3 u4" ]
    [ "$(complete dq-cat c.dq --item=i1 | paste -sd' ')" = "words --item=i1" ]
    [ "$(complete dq-rank u.jsonl nowhere.dq --user '' 2>&1)" = words ]
    [ "$(complete dq-rank --user '')" = words ]
    mkfifo pipe
    [ "$(timeout 60 "$BUILD"/dq-rank --complete-line dq-rank pipe --user '')" = words ]
    # What is given is not offered again, nor what it excludes, nor what is of other modes.
    complete dq-rank --top 3 --t > offered
    run ! grep -q '^--top' offered
    grep -q '^--time' offered
    complete dq-cat --head 3 --r > offered
    run ! grep -q '^--row' offered
    complete dq-train --offline --e > offered
    grep -q '^--epochs' offered
    run ! grep -qE '^--(episodes|each-user|env)' offered
    complete dq-rank --user u0 --u > offered
    grep -q '^--user' offered
    # dq-tune's are its own, and behind -- those of the command.
    [ "$(complete dq-tune --by '' | paste -sd' ')" = "words tpe grid random" ]
    [ "$(complete dq-tune -o '')" = files ]
    [ "$(complete dq-tune --by grid -- '')" = commands ]
    complete dq-tune --by grid -- dq-train --offline --ep | grep -q '^--epochs'
    complete dq-tune --pr | grep -q $'^--preset\t'
}

@test "bash completes values, through = and : too" {
    unset -f complete # ours
    # shellcheck source=/dev/null
    source <(dq-rank --completion bash; dq-train --completion; dq-tune --completion bash)
    compopt() { asked+=("$*"); }
    # typed LINE WORD...: the line, and what bash makes of it
    typed() {
        COMP_LINE=$1 COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2)) COMPREPLY=() asked=()
        "_$2" "$2" "${COMP_WORDS[COMP_CWORD]}"
    }
    typed 'dq-rank --by ' dq-rank --by ''
    [[ "${COMPREPLY[*]}" == "auto q world cosine popularity recent item-knn last-item random" ]]
    typed 'dq-rank --by=co' dq-rank --by = co
    [[ "${COMPREPLY[*]}" == cosine ]]
    typed 'dq-rank --by=' dq-rank --by =
    [[ "${COMPREPLY[*]}" == "auto q world"* ]]
    typed 'dq-rank c.dq --user u' dq-rank c.dq --user u
    [[ "${COMPREPLY[*]}" == "u0 u1 u2 u3 u4" ]]
    typed 'dq-rank --simil' dq-rank --simil
    [[ "${COMPREPLY[*]}" == --similarity ]]
    typed 'dq-rank --model ' dq-rank --model ''
    [[ ${#COMPREPLY[@]} == 0 && "${asked[*]}" == "-o default" ]]
    typed 'dq-train --env se' dq-train --env se
    [[ "${COMPREPLY[*]}" == "session sequence" ]]
    typed 'dq-train --help of' dq-train --help of
    [[ "${COMPREPLY[*]}" == offline ]]
    typed 'dq-tune --by r' dq-tune --by r
    [[ "${COMPREPLY[*]}" == random ]]
    complete -p dq-rank | grep -q -- '-F _dq-rank dq-rank'
}

@test "zsh completes" {
    needs zsh
    cat > ask.zsh << 'END'
zmodload zsh/zpty
zpty z "zsh -f -i"
zpty -w z "PS1= RPS1=; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u -D; source <(dq-rank --completion zsh); setopt no_beep"
zpty -w z 'show() { print -r -- "<$BUFFER>"; BUFFER=; zle redisplay }; zle -N show; bindkey "^X" show; print REA""DY'
zpty -r -m z line '*READY*'
for typed in "dq-rank --by=cos" "dq-rank --by wor" "dq-rank c.dq --user u3" "dq-rank --simil"; do
    zpty -w -n z "$typed"$'\t\x18'
    zpty -r -m z line '*<*>*'
    print -r -- "${(M)line%%<*}"
done
zpty -d z
END
    timeout 120 zsh -f ask.zsh > said < /dev/null
    for whole in '<dq-rank --by=cosine >' '<dq-rank --by world >' '<dq-rank c.dq --user u3 >' '<dq-rank --similarity >'; do
        grep -qF "$whole" said || { cat -v said; false; }
    done
}

@test "fish completes" {
    needs fish
    export HOME=$PWD XDG_CONFIG_HOME=$PWD/config XDG_DATA_HOME=$PWD/data
    ask() { fish -c "source ($1 --completion fish | psub); complete -C '$2'" < /dev/null | cut -f 1 | paste -sd' '; }
    [ "$(ask dq-rank 'dq-rank --by co')" = cosine ]
    [ "$(ask dq-rank 'dq-rank --by=co')" = --by=cosine ]
    [ "$(ask dq-rank 'dq-rank c.dq --user u')" = "u0 u1 u2 u3 u4" ]
    [[ "$(ask dq-rank 'dq-rank --simil')" == *--similarity* ]]
    [[ "$(ask dq-rank 'dq-rank --model c.')" == *c.dq* ]]
    [ "$(ask dq-train 'dq-train --env sess')" = session ]
    [ "$(ask dq-tune 'dq-tune --by gr')" = grid ]
}

@test "a completion a program and shell is built, and equal to what the program prints" {
    for program in "${programs[@]}"; do
        for shell in bash zsh fish; do
            case $shell in bash) file=$program ;; zsh) file=_$program ;; fish) file=$program.fish ;; esac
            "$program" --completion $shell | cmp - "$BUILD/completions/$shell/$file"
            run ! grep -q @NAME@ "$BUILD/completions/$shell/$file"
        done
    done
}

# ---- dq-tune, before and without its optimiser ----

@test "dq-tune: --help, completion and usage errors load no optimiser" {
    for words in --help --version --completion "--completion table" "--trials x" "--complete-line dq-tune --by"; do
        /usr/bin/python3 -X importtime "$BUILD"/dq-tune $words > /dev/null 2> imported || true
        grep -q 'import time:' imported
        run ! grep -wE 'optuna|numpy|sqlalchemy|sqlite3|subprocess|argparse' imported
    done
}

@test "dq-tune without Optuna says in one line what to install" {
    mkdir -p none
    echo 'raise ImportError("there is none")' > none/optuna.py
    PYTHONPATH=none run -1 --separate-stderr dq-tune --option a=1 --metric m -- true
    [[ ${#stderr_lines[@]} == 1 && $stderr == "dq-tune: "*"python3-optuna"* ]] || { echo "$stderr"; false; }
    [ -z "$output" ]
}
