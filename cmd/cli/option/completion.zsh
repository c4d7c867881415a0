#compdef @NAME@
# zsh completion for @NAME@, printed by @NAME@ --completion zsh
_@NAME@() {
    local kind line
    local -a found values shown end
    found=("${(@f)$("${(Q)words[1]}" --complete-line "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2> /dev/null)}")
    kind=$found[1]
    shift found
    case $kind in
    files) compset -P '*='; _files ;;
    folders) compset -P '*='; _files -/ ;;
    commands) compset -P '*='; _path_commands ;;
    part) end=(-S '') ;;
    esac
    for line in $found; do
        values+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/ -- }")
    done
    (( $#values )) && compadd -l $end -d shown -a values
}
if [[ $funcstack[1] == _@NAME@ ]]; then _@NAME@ "$@"; else compdef _@NAME@ @NAME@; fi
