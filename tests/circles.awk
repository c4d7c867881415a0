# SPDX-License-Identifier: MIT
# Circles between files, from their objects' symbols: `nm -gPA OBJECT... | awk -f circles.awk` prints a line a circle, its
# files and a symbol that each takes of the next one. (Tarjan, "Depth-first search and linear graph algorithms", 1972.)
{
    file = $1
    sub(/^.*\/obj\//, "", file)
    sub(/\.o:$/, "", file)
    files[file]
    if ($3 == "U" || $3 == "w") { user[++uses] = file; used[uses] = $2 }
    else home[$2] = file
}

function visit(v,    i, w, circle) {
    number[v] = low[v] = ++count
    stack[++depth] = v
    on[v] = 1
    for (i = 1; i <= degree[v]; i++) {
        w = next_of[v, i]
        if (!(w in number)) { visit(w); if (low[w] < low[v]) low[v] = low[w] }
        else if (on[w] && number[w] < low[v]) low[v] = number[w]
    }
    if (low[v] != number[v]) return
    do {
        w = stack[depth--]
        on[w] = 0
        circle = w " " circle
        belongs[w] = v
    } while (w != v)
    if (circle != v " ") print explain(circle, v)
}

function explain(circle, root,    names, n, i, j, words) {
    n = split(circle, names, " ")
    for (i = 1; i <= n; i++)
        for (j = 1; j <= degree[names[i]]; j++)
            if (belongs[next_of[names[i], j]] == root)
                words = words (words ? "; " : "") names[i] " takes " why[names[i], j] " of " next_of[names[i], j]
    return words
}

END {
    for (i = 1; i <= uses; i++) {
        to = home[used[i]]
        if (to == "" || to == user[i] || (user[i], to) in seen) continue
        seen[user[i], to]
        next_of[user[i], ++degree[user[i]]] = to
        why[user[i], degree[user[i]]] = used[i]
    }
    for (file in files)
        if (!(file in number)) visit(file)
}
