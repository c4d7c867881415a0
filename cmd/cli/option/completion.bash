# bash completion for @NAME@, printed by @NAME@ --completion bash
_@NAME@() {
    local line=${COMP_LINE-} piece kind word
    local -a words=() found=()
    COMPREPLY=()
    # bash has cut words at = and :, too; here they are whole.
    for piece in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ ${#words[@]} == 0 || $line == [[:blank:]]* ]]; then words+=("$piece"); else words[-1]+=$piece; fi
        line=${line#"${line%%[![:blank:]]*}"} line=${line#"$piece"}
    done
    [[ $piece == *[!=:]* ]] || piece=
    line=${words[-1]%"$piece"} # what stands before the piece that bash puts in
    { read -r kind && mapfile -t found; } < <("$1" --complete-line "${words[@]}" 2> /dev/null)
    case $kind in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
    commands) mapfile -t COMPREPLY < <(compgen -c -- "$piece") ;;
    part) compopt -o nospace ;;
    esac
    for word in "${found[@]%%$'\t'*}"; do
        printf -v word %q "${word#"$line"}"
        COMPREPLY+=("$word")
    done
}
complete -F _@NAME@ @NAME@
