# awk -f compare.awk layout.txt current.txt: says what moved since layout.txt was committed, and exits with 1 if anything did.
# FROZEN structs must be equal; GROWABLE ones and constants may only gain.
function owner(path) { sub(/\..*/, "", path); return path }
function say(sentence) { print "CHANGED " sentence; bad = 1 }

FNR == NR {
    golden[$2] = $3; if ($1 != "const" && $1 != "field") kind[$2] = $1
    type[$2] = $1; width[$2] = $4; order[++n] = $2
    next
}
{ value[$2] = $3; now_width[$2] = $4; now_kind[$2] = $1 }
$1 == "field" && kind[owner($2)] == "frozen" && !($2 in golden) { say($2 " is new, but " owner($2) " is frozen.") }
$1 == "field" && kind[owner($2)] == "growable" && !($2 in golden) && $3 < golden[owner($2)] {
    say($2 " was put at offset " $3 ", inside the old " golden[owner($2)] " bytes of " owner($2) "; fields are appended.")
}
END {
    for (i = 1; i <= n; i++) {
        name = order[i]
        if (!(name in value)) { say(name " is gone."); continue }
        if (type[name] == "const") {
            if (value[name] != golden[name]) say(name " was " golden[name] " and is " value[name] ".")
        } else if (type[name] == "field") {
            if (value[name] != golden[name]) say(name " moved from offset " golden[name] " to " value[name] ".")
            if (now_width[name] != width[name]) say(name " was " width[name] " bytes and is " now_width[name] ".")
        } else if (now_kind[name] != kind[name]) {
            say(name " was " kind[name] " and is " now_kind[name] ".")
        } else if (kind[name] == "frozen" ? value[name] != golden[name] : value[name] < golden[name]) {
            say(name " was " golden[name] " bytes and is " value[name] ".")
        }
    }
    exit bad
}
