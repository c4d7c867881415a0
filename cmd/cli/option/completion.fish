# fish completion for @NAME@, printed by @NAME@ --completion fish
function __@NAME@
    set -l words (commandline -opc)
    set -l now (commandline -ct)
    set -l found (command $words[1] --complete-line $words "$now" 2>/dev/null)
    set -l path (string replace -r '^--[^=]*=' '' -- $now)
    set -l before (string sub -l (math (string length -- "$now") - (string length -- "$path")) -- "$now")
    switch "$found[1]"
        case files
            printf '%s\n' $before(__fish_complete_path "$path")
        case folders
            printf '%s\n' $before(__fish_complete_directories "$path" '')
        case commands
            printf '%s\n' $before(complete -C "$path")
    end
    printf '%s\n' $found[2..-1]
end
complete -c @NAME@ -f -a '(__@NAME@)'
